//! Memory for the nodes of models. What a node's block held stays until the next run of the model,
//! so that a model can tell who looks at a node that is freed.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;

pub(crate) const ALIGN: usize = 8;

#[derive(Default)]
struct Ledger {
    blocks: Vec<(NonNull<u8>, Layout)>,
    freed: usize,
}

thread_local! {
    // A model's threads are all on one thread of the system.
    static LEDGER: RefCell<Ledger> = RefCell::default();
}

/// How many blocks are not freed.
pub(crate) fn live() -> usize {
    LEDGER.with_borrow(|ledger| ledger.blocks.len() - ledger.freed)
}

/// Forgets all blocks.
pub(crate) fn begin() {
    let ledger = LEDGER.take();
    for (block, layout) in ledger.blocks {
        // SAFETY: the run of the model that used the block is over.
        unsafe { dealloc(block.as_ptr(), layout) };
    }
}

pub(crate) const fn is_large(_: usize, _: usize) -> bool {
    false
}

pub(crate) fn allocate(size: usize, align: usize) -> NonNull<u8> {
    let layout = Layout::from_size_align(size, align.max(16)).expect("a node fits into memory");
    // SAFETY: the size is not zero.
    let block = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
    LEDGER.with_borrow_mut(|ledger| ledger.blocks.push((block, layout)));
    block
}

pub(crate) unsafe fn free(block: NonNull<u8>, _: usize, _: usize) {
    // SAFETY: the caller's promise.
    unsafe { free_small(block) }
}

pub(crate) unsafe fn free_small(_: NonNull<u8>) {
    LEDGER.with_borrow_mut(|ledger| ledger.freed += 1);
}

pub(crate) unsafe fn serial(block: NonNull<u8>, _: bool) -> u64 {
    block.as_ptr().addr() as u64
}

pub(crate) fn rest() {}
