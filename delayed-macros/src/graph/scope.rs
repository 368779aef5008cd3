//! A walk through one statement, with Rust's scoping: it finds where bindings of the body are used and where the
//! statement leaves the function, and may put something else there.

use super::binding::{Kind, bound};
use super::captures;
use crate::mistakes::Mistakes;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, BinOp, Block, Expr, ExprBreak, ExprClosure, ExprContinue, ExprReturn, ExprTry, Item, Lit,
    LitStr, Local, Macro, Pat, PatGuard, Stmt, Token, UnOp,
};

/// What stands where a walk goes, by name: which bindings of the body, the earlier ones first. A statement sees
/// the last one that was there before it.
pub(super) type Scope = BTreeMap<String, Vec<usize>>;

/// What is done at the places that matter.
pub(super) trait Sites {
    /// A use of a binding. `deferred`: in a closure or future, which may run later, or several times.
    fn used(&mut self, binding: usize, name: &Ident, kind: Kind, deferred: bool) -> Option<Expr>;
    /// `?`, whose expression was walked.
    fn tried(&mut self, tried: &ExprTry) -> Option<Expr>;
    /// `return`, whose expression was walked.
    fn returned(&mut self, returned: &ExprReturn) -> Option<Expr>;
}

pub(super) struct Walk<'a> {
    scope: &'a Scope,
    /// How many bindings of the body there are before the statement.
    bindings: usize,
    sites: &'a mut dyn Sites,
    /// Names that are bound inside the statement, by block.
    own: Vec<BTreeSet<String>>,
    /// How many closures and futures are around, of whose `?` and `return` the function knows nothing.
    deferred: usize,
    /// They take what they use by value.
    moves: bool,
    /// They borrow what they use, if they can.
    borrows: bool,
    /// How many loops are around that `break` can leave.
    loops: usize,
    /// How many macros are around, whose arguments may stand anywhere in what they give.
    macros: usize,
    /// `.await` can stand here.
    pub(super) awaits: bool,
    /// What the function returns goes with `?`, as far as can be seen.
    pub(super) tries: bool,
    /// There is something that rustc refuses wherever the statement is, and would refuse in other words in a node.
    pub(super) is_wrong: bool,
    pub(super) mistakes: Mistakes,
    /// The statement calls something, or may take long for another reason.
    pub(super) calls: bool,
    pub(super) leaves: Option<Span>,
    /// A macro that returns from the function.
    pub(super) returns_by: Option<Ident>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(scope: &'a Scope, bindings: usize, sites: &'a mut dyn Sites) -> Self {
        Walk {
            scope,
            bindings,
            sites,
            own: vec![BTreeSet::new()],
            deferred: 0,
            moves: false,
            borrows: false,
            loops: 0,
            macros: 0,
            awaits: true,
            tries: true,
            is_wrong: false,
            mistakes: Mistakes::default(),
            calls: false,
            leaves: None,
            returns_by: None,
        }
    }

    fn binding(&self, name: &Ident) -> Option<usize> {
        let name = name.unraw().to_string();
        let named = self.scope.get(&name)?;
        if self.own.iter().any(|names| names.contains(&name)) {
            return None;
        }
        named.iter().rev().find(|binding| **binding < self.bindings).copied()
    }

    fn bind(&mut self, pat: &Pat) {
        let names = bound(pat).into_iter().map(|bound| bound.name.unraw().to_string());
        self.own.last_mut().expect("a statement is a block").extend(names);
    }

    fn scoped(&mut self, f: impl FnOnce(&mut Self)) {
        self.own.push(BTreeSet::new());
        f(self);
        self.own.pop();
    }

    /// Walks what runs later.
    fn deferred(&mut self, is_move: bool, awaits: bool, f: impl FnOnce(&mut Self)) {
        let before = (self.moves, self.borrows, self.loops, self.awaits);
        (self.loops, self.awaits) = (0, awaits);
        self.moves |= is_move;
        self.borrows |= !is_move;
        self.deferred += 1;
        self.scoped(f);
        self.deferred -= 1;
        (self.moves, self.borrows, self.loops, self.awaits) = before;
    }

    fn looped(&mut self, body: &mut Block) {
        self.loops += 1;
        self.visit_block_mut(body);
        self.loops -= 1;
    }

    fn refuse_if(&mut self, is_wrong: bool) {
        self.is_wrong |= is_wrong && self.macros == 0;
    }

    fn used(&mut self, name: &Ident, kind: Kind) -> Option<Expr> {
        let binding = self.binding(name)?;
        let kind = match kind {
            Kind::Borrow | Kind::Any if self.moves => Kind::Value,
            Kind::Any if self.borrows => Kind::Borrow,
            kind => kind,
        };
        self.sites.used(binding, name, kind, self.deferred > 0)
    }

    /// Walks an expression that names a place: a binding, and what is in it.
    fn place(&mut self, expr: &mut Expr, kind: Kind) {
        match expr {
            Expr::Path(path) => {
                if path.qself.is_none()
                    && let Some(name) = path.path.get_ident().cloned()
                    && let Some(instead) = self.used(&name, kind)
                {
                    *expr = instead;
                }
            }
            Expr::Field(field) => {
                self.place(&mut field.base, if kind == Kind::Value { Kind::Any } else { kind })
            }
            Expr::Index(index) => {
                self.place(&mut index.expr, if kind == Kind::Change { kind } else { Kind::Borrow });
                self.visit_expr_mut(&mut index.index);
            }
            Expr::Paren(paren) => self.place(&mut paren.expr, kind),
            Expr::Group(group) => self.place(&mut group.expr, kind),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
                // A reference that is changed through may be borrowed itself; whether it can is rustc's to say.
                self.place(&mut unary.expr, if kind == Kind::Change { Kind::Any } else { Kind::Borrow });
            }
            _ => self.visit_expr_mut(expr),
        }
    }

    fn walk_macro(&mut self, mac: &mut Macro) {
        self.calls = true;
        self.macros += 1;
        self.walk_arguments(mac);
        self.macros -= 1;
    }

    fn walk_arguments(&mut self, mac: &mut Macro) {
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let repeat = |input: ParseStream<'_>| {
            let element: Expr = input.parse()?;
            input.parse::<Token![;]>()?;
            Ok((element, input.parse::<Expr>()?))
        };
        if let Ok((mut element, mut count)) = repeat.parse2(mac.tokens.clone()) {
            self.visit_expr_mut(&mut element);
            self.visit_expr_mut(&mut count);
            mac.tokens = quote!(#element; #count);
            return;
        }
        let matches = |input: ParseStream<'_>| {
            let value: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse::<Expr>()).transpose()?;
            input.parse::<Option<Token![,]>>()?;
            Ok((value, pat, guard))
        };
        if name == "matches"
            && let Ok((mut value, pat, mut guard)) = matches.parse2(mac.tokens.clone())
        {
            self.place(&mut value, Kind::Any);
            self.scoped(|walk| {
                walk.bind(&pat);
                guard.iter_mut().for_each(|guard| walk.visit_expr_mut(guard));
            });
            let guard = guard.map(|guard| quote!(if #guard));
            mac.tokens = quote!(#value, #pat #guard);
            return;
        }
        let list = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(mut args) = list.parse2(mac.tokens.clone()) else { return self.unknown_macro(mac) };
        let mut captured = TokenStream::new();
        let formats = captures::FORMATS.contains(&name.as_str());
        if captures::RETURNS.contains(&name.as_str()) && self.deferred == 0 {
            self.returns_by = mac.path.segments.last().map(|segment| segment.ident.clone());
        }
        // What it says is what was written.
        let written = matches!(&*name, "assert" | "debug_assert") && args.len() == 1;
        let written = written.then(|| format!("assertion failed: {}", mac.tokens));
        let given: BTreeSet<String> = args.iter().filter_map(name_of_argument).collect();
        let writes = name == "write" || name == "writeln";
        for (index, arg) in args.iter_mut().enumerate() {
            match arg {
                Expr::Lit(lit) if formats => {
                    if let Lit::Str(text) = &lit.lit {
                        captured.extend(self.captured(text, &given));
                    }
                }
                // A named argument of a format.
                Expr::Assign(named) if formats => self.place(&mut named.right, Kind::Borrow),
                arg if formats && !(writes && index == 0) => self.place(arg, Kind::Borrow),
                arg if name == "vec" => self.visit_expr_mut(arg),
                arg => self.place(arg, Kind::Any),
            }
        }
        let comma = (!args.trailing_punct()).then(|| quote!(,));
        mac.tokens = match written {
            Some(written) => quote!(#args #comma "{}", #written),
            None if captured.is_empty() => quote!(#args),
            None => quote!(#args #comma #captured),
        };
    }

    /// Named arguments for the bindings that a format captures, if something else stands for them.
    fn captured(&mut self, text: &LitStr, given: &BTreeSet<String>) -> TokenStream {
        let names = captures::names(&text.value()).into_iter().filter(|name| !given.contains(name));
        let named = names.filter_map(|name| {
            let mut name = Ident::parse_any.parse_str(&name).ok()?;
            name.set_span(text.span());
            self.used(&name, Kind::Borrow).map(|instead| quote!(#name = #instead,))
        });
        named.collect()
    }

    fn unknown_macro(&mut self, mac: &Macro) {
        let Some(name) = self.named_in(mac.tokens.clone()) else { return };
        let path = &mac.path;
        let path = quote!(#path).to_string().replace(' ', "");
        self.mistakes.at(
            &name,
            format!(
                "how `{path}!` uses `{name}` cannot be seen, because its arguments are not expressions: bind it in \
                 the same statement, as in `{{ let {name} = &{name}; {path}!(…) }}`"
            ),
        );
    }

    fn named_in(&self, tokens: TokenStream) -> Option<Ident> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(name) => self.binding(&name).map(|_| name),
            TokenTree::Group(group) => self.named_in(group.stream()),
            _ => None,
        })
    }

    fn leaves(&mut self, at: Span) {
        self.leaves.get_or_insert(at);
    }
}

/// What an item is called where values are.
fn name_of_item(item: &Item) -> Option<String> {
    match item {
        Item::Const(item) => Some(item.ident.unraw().to_string()),
        Item::Fn(item) => Some(item.sig.ident.unraw().to_string()),
        Item::Static(item) => Some(item.ident.unraw().to_string()),
        Item::Struct(item) => Some(item.ident.unraw().to_string()),
        _ => None,
    }
}

/// `name` of `name = value`.
fn name_of_argument(arg: &Expr) -> Option<String> {
    let Expr::Assign(named) = arg else { return None };
    let Expr::Path(path) = &*named.left else { return None };
    path.path.get_ident().map(Ident::to_string)
}

/// How patterns use what they match: those that bind by `ref` alone borrow it. `_` does nothing with it, and others
/// may bind references into it.
fn matched<'a>(pats: impl IntoIterator<Item = &'a Pat>) -> Kind {
    let bound: Vec<_> = pats.into_iter().flat_map(bound).collect();
    if !bound.is_empty() && bound.iter().all(|bound| bound.by_ref) { Kind::Borrow } else { Kind::Any }
}

/// A pattern that takes what it matches.
fn is_name(pat: &Pat) -> bool {
    match pat {
        Pat::Type(typed) => is_name(&typed.pat),
        Pat::Ident(name) => name.by_ref.is_none() && !bound(pat).is_empty(),
        _ => false,
    }
}

fn is_async(closure: &ExprClosure) -> bool {
    closure.asyncness.is_some()
}

/// What is not compiled would be an edge, or hide a binding, nevertheless.
pub(super) fn refuse_cfg(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for attr in attrs.iter().filter(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr")) {
        mistakes.at(
            attr,
            "a graph's statement cannot have `cfg`, because its edges are known before that is: use \
             `if cfg!(…) { … } else { … }`",
        );
    }
}

impl VisitMut for Walk<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => self.place(expr, Kind::Value),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => self.place(expr, Kind::Value),
            Expr::Reference(reference) => {
                let kind = if reference.mutability.is_some() { Kind::Change } else { Kind::Borrow };
                self.place(&mut reference.expr, kind);
            }
            Expr::RawAddr(raw) => self.place(&mut raw.expr, Kind::Any),
            Expr::MethodCall(call) => {
                self.calls |= !captures::LIGHT.iter().any(|light| call.method == light);
                let borrows = captures::BORROWS.iter().any(|borrows| call.method == borrows);
                self.place(&mut call.receiver, if borrows { Kind::Borrow } else { Kind::Any });
                call.args.iter_mut().for_each(|arg| self.visit_expr_mut(arg));
            }
            Expr::Binary(binary) => match binary.op {
                BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                    self.place(&mut binary.left, Kind::Borrow);
                    self.place(&mut binary.right, Kind::Borrow);
                }
                BinOp::Add(_)
                | BinOp::Sub(_)
                | BinOp::Mul(_)
                | BinOp::Div(_)
                | BinOp::Rem(_)
                | BinOp::BitXor(_)
                | BinOp::BitAnd(_)
                | BinOp::BitOr(_)
                | BinOp::Shl(_)
                | BinOp::Shr(_)
                | BinOp::And(_)
                | BinOp::Or(_) => visit_mut::visit_expr_binary_mut(self, binary),
                // With assignment.
                _ => {
                    self.place(&mut binary.left, Kind::Change);
                    self.visit_expr_mut(&mut binary.right);
                }
            },
            Expr::Assign(assign) => {
                // Patterns are assigned to, too, and need not take all.
                let is_pattern = matches!(
                    &*assign.left,
                    Expr::Infer(_) | Expr::Tuple(_) | Expr::Array(_) | Expr::Struct(_) | Expr::Call(_)
                );
                self.place(&mut assign.left, Kind::Change);
                self.place(&mut assign.right, if is_pattern { Kind::Any } else { Kind::Value });
            }
            Expr::Closure(closure) => self.deferred(closure.capture.is_some(), is_async(closure), |walk| {
                closure.inputs.iter().for_each(|input| walk.bind(input));
                walk.visit_expr_mut(&mut closure.body);
            }),
            Expr::Async(future) => {
                self.deferred(future.capture.is_some(), true, |walk| walk.visit_block_mut(&mut future.block));
            }
            Expr::Let(test) => {
                self.place(&mut test.expr, matched([&*test.pat]));
                self.bind(&test.pat);
            }
            Expr::If(branch) => {
                self.calls = true;
                self.scoped(|walk| {
                    walk.visit_expr_mut(&mut branch.cond);
                    walk.visit_block_mut(&mut branch.then_branch);
                });
                if let Some((_, other)) = &mut branch.else_branch {
                    self.visit_expr_mut(other);
                }
            }
            Expr::While(repeat) => {
                self.calls = true;
                self.scoped(|walk| {
                    walk.visit_expr_mut(&mut repeat.cond);
                    walk.looped(&mut repeat.body);
                });
            }
            Expr::ForLoop(repeat) => {
                self.calls = true;
                self.visit_expr_mut(&mut repeat.expr);
                self.scoped(|walk| {
                    walk.bind(&repeat.pat);
                    walk.looped(&mut repeat.body);
                });
            }
            Expr::Match(choice) => {
                self.calls = true;
                self.place(&mut choice.expr, matched(choice.arms.iter().map(|arm| &arm.pat)));
                for arm in &mut choice.arms {
                    self.scoped(|walk| {
                        walk.bind(&arm.pat);
                        if let Pat::Guard(PatGuard { guard, .. }) = &mut arm.pat {
                            walk.visit_expr_mut(guard);
                        }
                        walk.visit_expr_mut(&mut arm.body);
                    });
                }
            }
            Expr::Macro(expr) => self.walk_macro(&mut expr.mac),
            Expr::Struct(made) => {
                for field in &mut made.fields {
                    self.visit_expr_mut(&mut field.expr);
                    // `S { x }` is `S { x: x }`, whatever stands for the second.
                    field.colon_token.get_or_insert_with(Default::default);
                }
                if let Some(rest) = &mut made.rest {
                    self.place(rest, Kind::Any);
                }
            }
            Expr::Loop(repeat) => {
                self.calls = true;
                self.looped(&mut repeat.body);
            }
            Expr::Try(tried) if self.deferred == 0 => {
                self.calls = true;
                self.refuse_if(!self.tries);
                self.leaves(tried.question_token.span());
                self.visit_expr_mut(&mut tried.expr);
                if let Some(instead) = self.sites.tried(tried) {
                    *expr = instead;
                }
            }
            Expr::Return(returned) if self.deferred == 0 => {
                self.leaves(returned.return_token.span());
                if let Some(value) = &mut returned.expr {
                    self.visit_expr_mut(value);
                }
                if let Some(instead) = self.sites.returned(returned) {
                    *expr = instead;
                }
            }
            Expr::Call(call) => {
                self.calls = true;
                // Functions are called by reference, or by value.
                self.place(&mut call.func, Kind::Any);
                call.args.iter_mut().for_each(|arg| self.visit_expr_mut(arg));
            }
            Expr::Await(_) | Expr::Unsafe(_) | Expr::Block(_) => {
                self.calls = true;
                self.refuse_if(matches!(expr, Expr::Await(_)) && !self.awaits);
                visit_mut::visit_expr_mut(self, expr);
            }
            Expr::Break(ExprBreak { label: None, .. }) | Expr::Continue(ExprContinue { label: None, .. }) => {
                self.refuse_if(self.loops == 0);
                visit_mut::visit_expr_mut(self, expr);
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.scoped(|walk| {
            let items = block.stmts.iter().filter_map(|statement| match statement {
                Stmt::Item(item) => name_of_item(item),
                _ => None,
            });
            walk.own.last_mut().expect("a statement is a block").extend(items);
            block.stmts.iter_mut().for_each(|statement| walk.visit_stmt_mut(statement));
        });
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::Macro(statement) => self.walk_macro(&mut statement.mac),
            statement => visit_mut::visit_stmt_mut(self, statement),
        }
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        refuse_cfg(&local.attrs, &mut self.mistakes);
        if let Some(init) = &mut local.init {
            let kind = if is_name(&local.pat) { Kind::Value } else { matched([&local.pat]) };
            self.place(&mut init.expr, kind);
            if let Some((_, otherwise)) = &mut init.diverge {
                self.calls = true;
                self.visit_expr_mut(otherwise);
            }
        }
        self.bind(&local.pat);
    }

    /// An item sees none of the bindings.
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
}
