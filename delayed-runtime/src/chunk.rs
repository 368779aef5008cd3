//! Memory for nodes: bump allocation in chunks of 32 KiB, under miri of 2 KiB, which a few nodes fill.
//!
//! A chunk belongs to the thread that fills it. `live` starts at [`FILLING`] and is not touched by
//! allocations, which the owner counts for itself; when the chunk is full the owner takes away
//! what it did not allocate. A free takes one away, in batches of neighbours, so whoever brings
//! `live` to zero is the last user of a full chunk and keeps the chunk for reuse. A chunk that
//! still has one node is kept whole by it.
//!
//! Nodes are often freed by threads that make none, so whatever such a thread keeps is lost to
//! the others: a thread keeps one empty chunk, and the rest is pooled. With the chunk that it fills and the
//! one that its latest frees were in, a thread holds three at most; threads of the engine let go of the
//! last before they sleep ([`rest`]).
//!
//! Chunks are aligned to their size, so a block's chunk is found by masking its address. Blocks
//! that are large or strictly aligned come from the global allocator, with a serial before them.

use crate::sync::unmodelled::Mutex;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const CHUNK: usize = if cfg!(miri) { 2 << 10 } else { 32 << 10 };
/// Bytes of a chunk that are ours. The others are for what malloc puts before each block: without them
/// it could not lay two chunks side by side, and left a hole as large as a chunk after each one.
const USED: usize = CHUNK - 16;
const CHUNK_LAYOUT: Layout = match Layout::from_size_align(USED, CHUNK) {
    Ok(layout) => layout,
    Err(_) => panic!("a chunk's alignment is a power of two"),
};
const HEADER: usize = 16;
/// All blocks of a chunk begin at a multiple of this.
pub(crate) const ALIGN: usize = 8;
/// The largest block that is taken from a chunk, in bytes. Under `--cfg alone` none is: tools that know what
/// the global allocator has given and got back then know it of each node.
const LARGEST: usize = if cfg!(alone) { 0 } else { 1 << 10 };
/// More than the blocks that fit into a chunk.
const FILLING: u32 = 1 << 30;
/// Empty chunks that the pool keeps, for all threads: 64 MiB.
const POOLED: usize = (64 << 20) / CHUNK;

#[repr(C)]
struct Chunk {
    /// Blocks that are not free yet. Read-modify-write by any thread, `AcqRel`: the last free must
    /// see all earlier ones before the chunk is filled again.
    live: AtomicU32,
    /// Which filling of which chunk this is; written by the owner before any block is handed out.
    serial: u64,
}

struct Local {
    /// The free part of the chunk that is being filled: `next..end`.
    next: *mut u8,
    end: *mut u8,
    allocated: u32,
    /// The chunk of the latest frees, and how many of them `live` does not know yet.
    freed_in: *mut Chunk,
    freed: u32,
    /// An empty chunk, for the next filling.
    kept: Option<NonNull<Chunk>>,
}

struct Pool(Vec<NonNull<Chunk>>);

// SAFETY: pooled chunks are empty memory that the pool alone refers to.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool> = Mutex::new(Pool(Vec::new()));
static SERIAL: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static LOCAL: UnsafeCell<Local> = const {
        UnsafeCell::new(Local {
            next: ptr::null_mut(),
            end: ptr::null_mut(),
            allocated: 0,
            freed_in: ptr::null_mut(),
            freed: 0,
            kept: None,
        })
    };
}

/// Whether a block of this layout comes from the global allocator. Known at compile time for most.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) const fn is_large(size: usize, align: usize) -> bool {
    size > LARGEST || align > ALIGN
}

/// Allocates a block. `size` must be a multiple of [`ALIGN`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn allocate(size: usize, align: usize) -> NonNull<u8> {
    if is_large(size, align) {
        return allocate_large(size, align);
    }
    LOCAL
        .try_with(|local| {
            // SAFETY: `LOCAL` is this thread's, and no function that holds the reference calls
            // out of this file except to the global allocator, which does not come back here.
            let local = unsafe { &mut *local.get() };
            let block = local.next;
            if (local.end as usize) - (block as usize) < size {
                return local.refill(size);
            }
            local.next = block.wrapping_add(size);
            local.allocated += 1;
            // SAFETY: `next` is inside a chunk, or null when `end` is, and then the test failed.
            unsafe { NonNull::new_unchecked(block) }
        })
        .unwrap_or_else(|_| orphan(size))
}

/// Frees a block.
///
/// # Safety
///
/// The block came from [`allocate`] with the same size and alignment, and nobody uses it any more.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn free(block: NonNull<u8>, size: usize, align: usize) {
    if is_large(size, align) {
        // SAFETY: the caller's promise.
        return unsafe { free_large(block, size, align) };
    }
    // SAFETY: the caller's promise.
    unsafe { free_small(block) }
}

/// [`free`] for a block that is not large.
///
/// # Safety
///
/// As for [`free`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn free_small(block: NonNull<u8>) {
    let chunk = chunk_of(block);
    let batched = LOCAL.try_with(|local| {
        // SAFETY: as in `allocate`.
        let local = unsafe { &mut *local.get() };
        if local.freed_in != chunk {
            local.turn_to(chunk);
        }
        local.freed += 1;
    });
    if batched.is_err() {
        // SAFETY: the block was live until now, so its chunk is.
        unsafe { free_last(chunk) }
    }
}

/// Frees one block of a chunk on a thread that is ending.
///
/// # Safety
///
/// As for [`give_back`].
#[cold]
unsafe fn free_last(chunk: *mut Chunk) {
    // SAFETY: the caller's promise.
    unsafe { give_back(chunk, 1) }.into_iter().for_each(pool);
}

/// A number that no other block of this process has had.
///
/// # Safety
///
/// The block is live, and `large` is what [`is_large`] says of its layout.
pub(crate) unsafe fn serial(block: NonNull<u8>, large: bool) -> u64 {
    // SAFETY: a large block has its serial before it, others have a chunk.
    unsafe {
        if large {
            return block.cast::<u64>().sub(1).read() * CHUNK as u64;
        }
        let chunk = chunk_of(block);
        (*chunk).serial * CHUNK as u64 + (block.as_ptr() as usize % CHUNK) as u64
    }
}

/// Tells the chunk of this thread's latest frees about them. For a thread that may sleep for long after this:
/// the chunk would be lost to the others meanwhile.
pub(crate) fn rest() {
    // A thread that is ending has told already.
    let _ = LOCAL.try_with(|local| {
        // SAFETY: as in `allocate`.
        unsafe { &mut *local.get() }.turn_to(ptr::null_mut());
    });
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn chunk_of(block: NonNull<u8>) -> *mut Chunk {
    block.as_ptr().map_addr(|address| address & !(CHUNK - 1)).cast()
}

/// Takes `blocks` away from the chunk's count; returns the chunk if that emptied it.
///
/// # Safety
///
/// These blocks were counted and are free.
unsafe fn give_back(chunk: *mut Chunk, blocks: u32) -> Option<NonNull<Chunk>> {
    // SAFETY: the chunk is live as long as its count is not zero.
    let before = unsafe { (*chunk).live.fetch_sub(blocks, Ordering::AcqRel) };
    // The count comes to zero once, so whoever sees that has the chunk for itself.
    if before == blocks { NonNull::new(chunk) } else { None }
}

/// Makes an empty chunk the pool's, or gives it to the global allocator if the pool is full.
fn pool(chunk: NonNull<Chunk>) {
    let mut pool = POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if pool.0.len() < POOLED {
        return pool.0.push(chunk);
    }
    drop(pool);
    // SAFETY: an empty chunk, allocated with this layout in `Local::fresh`.
    unsafe { dealloc(chunk.as_ptr().cast(), CHUNK_LAYOUT) };
}

impl Local {
    #[cold]
    #[inline(never)]
    fn refill(&mut self, size: usize) -> NonNull<u8> {
        self.retire();
        let chunk = self.fresh();
        // SAFETY: a fresh chunk is ours alone and large enough for its header and any small block.
        unsafe {
            chunk.write(Chunk {
                live: AtomicU32::new(FILLING),
                serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            });
            let start = chunk.cast::<u8>();
            self.end = start.add(USED).as_ptr();
            let block = start.add(HEADER);
            self.next = block.add(size).as_ptr();
            self.allocated = 1;
            block
        }
    }

    /// Stops filling the current chunk.
    fn retire(&mut self) {
        if !self.end.is_null() {
            let chunk = self.end.wrapping_sub(USED).cast::<Chunk>();
            let unused = FILLING - self.allocated;
            self.end = ptr::null_mut();
            self.next = ptr::null_mut();
            // SAFETY: the unused blocks were counted by `FILLING` and never handed out.
            let emptied = unsafe { give_back(chunk, unused) };
            self.keep(emptied);
        }
    }

    /// Keeps the chunk if that was emptied: it is warmer than the one before.
    fn keep(&mut self, emptied: Option<NonNull<Chunk>>) {
        if emptied.is_some() {
            std::mem::replace(&mut self.kept, emptied).into_iter().for_each(pool);
        }
    }

    fn fresh(&mut self) -> NonNull<Chunk> {
        let pooled = || POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).0.pop();
        self.kept.take().or_else(pooled).unwrap_or_else(|| {
            // SAFETY: the layout's size is not zero.
            let chunk = unsafe { alloc(CHUNK_LAYOUT) };
            NonNull::new(chunk.cast()).unwrap_or_else(|| handle_alloc_error(CHUNK_LAYOUT))
        })
    }

    /// Begins to count the frees of another chunk.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, chunk: *mut Chunk) {
        self.flush();
        self.freed_in = chunk;
    }

    /// Tells the chunk of the latest frees about them.
    fn flush(&mut self) {
        if self.freed > 0 {
            let blocks = std::mem::take(&mut self.freed);
            // SAFETY: `free` counted them.
            let emptied = unsafe { give_back(self.freed_in, blocks) };
            self.keep(emptied);
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.flush();
        self.retire();
        self.kept.take().into_iter().for_each(pool);
    }
}

/// A block for a thread that is ending and has no chunk any more: alone in a chunk of its own.
#[cold]
fn orphan(size: usize) -> NonNull<u8> {
    let mut local = Local {
        next: ptr::null_mut(),
        end: ptr::null_mut(),
        allocated: 0,
        freed_in: ptr::null_mut(),
        freed: 0,
        kept: None,
    };
    local.refill(size)
}

fn large_layout(size: usize, align: usize) -> (Layout, usize) {
    let align = align.max(size_of::<u64>());
    let layout = Layout::from_size_align(size + align, align).expect("a node fits into memory");
    (layout, align)
}

#[cold]
fn allocate_large(size: usize, align: usize) -> NonNull<u8> {
    let (layout, before) = large_layout(size, align);
    // SAFETY: the size is not zero; the serial fits before the block, whose alignment is `before`.
    unsafe {
        let Some(start) = NonNull::new(alloc(layout)) else { handle_alloc_error(layout) };
        let block = start.add(before);
        block.cast::<u64>().sub(1).write(SERIAL.fetch_add(1, Ordering::Relaxed));
        block
    }
}

/// # Safety
///
/// As for [`free`].
#[cold]
unsafe fn free_large(block: NonNull<u8>, size: usize, align: usize) {
    let (layout, before) = large_layout(size, align);
    // SAFETY: the block lies `before` bytes behind what `allocate_large` got.
    unsafe { dealloc(block.sub(before).as_ptr(), layout) }
}
