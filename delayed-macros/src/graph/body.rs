//! From a function to its statements, and who uses what.

use super::binding::{Binding, Kind, Use, bound};
use super::scope::{Scope, Sites, Walk};
use crate::mistakes::Mistakes;
use proc_macro2::{Ident, Span};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprReturn, ExprTry, FnArg, Item, ItemFn, LocalInit, Pat, ReceiverKind, Stmt, Type,
    parse_quote,
};

/// A statement of the body that is not an item. The last one is the function's value.
pub(super) struct Statement {
    pub(super) code: Stmt,
    /// What can be named where it stands.
    pub(super) scope: Scope,
    /// The bindings that it makes.
    pub(super) makes: Vec<usize>,
    /// All before it end before it begins, and all behind it begin after it.
    pub(super) is_fence: bool,
    /// It calls something: see [`Walk::calls`].
    pub(super) calls: bool,
    /// Where it may leave the function.
    pub(super) leaves: Option<Span>,
    pub(super) wish: Wish,
}

/// What the user has said of a statement's node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    None,
    /// `#[node]`: a node of its own.
    Node,
    /// `#[fuse]`: a part of the node of its only user.
    Fuse,
}

pub(super) struct Body {
    pub(super) items: Vec<Item>,
    pub(super) statements: Vec<Statement>,
    pub(super) bindings: Vec<Binding>,
    /// What the function calls its arguments, and what they are taken apart by, if they are.
    pub(super) arguments: Vec<Argument>,
    /// How many statements were made of `&make()`.
    hoisted: usize,
}

pub(super) struct Argument {
    pub(super) name: Ident,
    /// A pattern that is more than a name.
    pub(super) pat: Option<Pat>,
}

impl Body {
    pub(super) fn read(function: &ItemFn, mistakes: &mut Mistakes) -> Body {
        let mut body = Body {
            items: Vec::new(),
            statements: Vec::new(),
            bindings: Vec::new(),
            arguments: Vec::new(),
            hoisted: 0,
        };
        let mut scope = Scope::new();
        for (index, input) in function.sig.inputs.iter().enumerate() {
            body.argument(index, input, &mut scope);
        }
        for code in body.split(function, mistakes) {
            body.statement(code, &mut scope, mistakes);
        }
        if let Some(last) = body.statements.last_mut() {
            last.is_fence = false;
        }
        body
    }

    /// The number of the statement that is the function's value.
    pub(super) fn last(&self) -> usize {
        self.statements.len() - 1
    }

    /// What a mistake calls a statement.
    pub(super) fn said(&self, statement: usize) -> String {
        if statement == self.last() {
            return "the last expression".to_owned();
        }
        format!("`{}`", label(&self.statements[statement].code, false))
    }

    fn argument(&mut self, index: usize, input: &FnArg, scope: &mut Scope) {
        match input {
            FnArg::Receiver(receiver) => {
                let name = Ident::new("self", receiver.self_token.span());
                let mut binding = Binding::new(
                    super::binding::Bound { name, mutable: receiver.mutability.is_some() },
                    None,
                );
                binding.is_reference = matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
                scope.insert("self".to_owned(), self.bindings.len());
                self.bindings.push(binding);
                let name = Ident::new("self", receiver.self_token.span());
                self.arguments.push(Argument { name, pat: None });
            }
            FnArg::Typed(typed) => {
                for bound in bound(&typed.pat) {
                    scope.insert(bound.name.to_string(), self.bindings.len());
                    let mut binding = Binding::new(bound, None);
                    binding.is_reference =
                        matches!(&*typed.pat, Pat::Ident(_)) && is_shared_reference(&typed.ty);
                    self.bindings.push(binding);
                }
                let argument = match &*typed.pat {
                    Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                        Argument { name: pat.ident.clone(), pat: None }
                    }
                    pat => Argument {
                        name: format_ident!("__argument{index}", span = pat.span()),
                        pat: Some(pat.clone()),
                    },
                };
                self.arguments.push(argument);
            }
        }
    }

    /// The statements, with items set apart, and the last one the function's value.
    fn split(&mut self, function: &ItemFn, mistakes: &mut Mistakes) -> Vec<Stmt> {
        let mut statements = Vec::new();
        for code in &function.block.stmts {
            match code {
                Stmt::Item(Item::Static(item)) => mistakes.at(
                    item,
                    "a graph's body is compiled twice, so a `static` in it would be two: put it outside of the function",
                ),
                Stmt::Item(item) => self.items.push(item.clone()),
                code => statements.extend(self.hoisted(code.clone())),
            }
        }
        let is_value = match statements.last_mut() {
            Some(Stmt::Expr(Expr::Return(_), _)) => true,
            Some(Stmt::Expr(_, None)) => true,
            Some(Stmt::Macro(last)) => last.semi_token.is_none(),
            _ => false,
        };
        if !is_value {
            statements.push(Stmt::Expr(parse_quote!(()), None));
        }
        for statement in &statements {
            for attr in
                attrs(statement).iter().filter(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr"))
            {
                mistakes.at(
                    attr,
                    "a graph's statement cannot have `cfg`, because its edges are known before that is: use \
                     `if cfg!(…) { … } else { … }`",
                );
            }
        }
        statements
    }

    /// `let x = &make();` keeps what is made to the end of the body: as a statement of its own.
    fn hoisted(&mut self, code: Stmt) -> Vec<Stmt> {
        let Stmt::Local(local) = &code else { return vec![code] };
        let Some(LocalInit { expr, diverge: None, .. }) = &local.init else { return vec![code] };
        let Expr::Reference(reference) = &**expr else { return vec![code] };
        let is_made = matches!(
            &*reference.expr,
            Expr::Call(_)
                | Expr::MethodCall(_)
                | Expr::Macro(_)
                | Expr::Block(_)
                | Expr::Binary(_)
                | Expr::Struct(_)
                | Expr::Array(_)
                | Expr::Tuple(_)
                | Expr::Await(_)
                | Expr::Try(_)
        );
        if !is_made || reference.mutability.is_some() {
            return vec![code];
        }
        let name = format_ident!("__made{}", self.hoisted, span = reference.expr.span());
        self.hoisted += 1;
        let made = &reference.expr;
        let mut local = local.clone();
        if let Some(init) = &mut local.init {
            init.expr = parse_quote!(&#name);
        }
        vec![parse_quote!(let #name = #made;), Stmt::Local(local)]
    }

    fn statement(&mut self, mut code: Stmt, scope: &mut Scope, mistakes: &mut Mistakes) {
        let index = self.statements.len();
        let wish = take_wish(&mut code, mistakes);
        let mut found = Uses(Vec::new());
        let mut walk = Walk::new(scope, &mut found);
        syn::visit_mut::VisitMut::visit_stmt_mut(&mut walk, &mut code.clone());
        let (calls, leaves) = (walk.calls, walk.leaves);
        mistakes.append(walk.mistakes);
        for (binding, used) in found.0 {
            let users = &mut self.bindings[binding].users;
            let most = users.entry(index).or_insert(used);
            if used.kind > most.kind {
                *most = used;
            }
        }
        let before = scope.clone();
        let mut makes = Vec::new();
        if let Stmt::Local(local) = &code {
            if local.init.is_none() {
                mistakes.at(
                    local,
                    "a graph's binding gets its value where it is declared: write `let x = if … { … } else { … };`",
                );
            }
            for bound in bound(&local.pat) {
                makes.push(self.bindings.len());
                scope.insert(bound.name.to_string(), self.bindings.len());
                self.bindings.push(Binding::new(bound, Some(index)));
            }
        }
        let is_fence = !matches!(code, Stmt::Local(_));
        self.statements.push(Statement { code, scope: before, makes, is_fence, calls, leaves, wish });
    }
}

/// The uses that a walk finds.
struct Uses(Vec<(usize, Use)>);

impl Sites for Uses {
    fn used(&mut self, binding: usize, name: &Ident, kind: Kind, _: bool) -> Option<Expr> {
        self.0.push((binding, Use { kind, span: name.span() }));
        None
    }

    fn tried(&mut self, _: &ExprTry) -> Option<Expr> {
        None
    }

    fn returned(&mut self, _: &ExprReturn) -> Option<Expr> {
        None
    }
}

fn is_shared_reference(ty: &Type) -> bool {
    matches!(crate::signature::peel(ty), Type::Reference(reference) if reference.mutability.is_none())
}

fn attrs(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(statement) => &statement.attrs,
        _ => &[],
    }
}

/// Takes `#[node]` or `#[fuse]` from a statement.
fn take_wish(code: &mut Stmt, mistakes: &mut Mistakes) -> Wish {
    let mut wish = Wish::None;
    if let Stmt::Local(local) = code {
        local.attrs.retain(|attr| {
            let found = match attr.path().get_ident() {
                Some(word) if word == "node" => Wish::Node,
                Some(word) if word == "fuse" => Wish::Fuse,
                _ => return true,
            };
            if wish != Wish::None {
                mistakes.at(attr, "a statement has one of `#[node]` and `#[fuse]`, once: remove the other");
            }
            wish = found;
            false
        });
    }
    wish
}

/// How a statement is called in drawings: what it binds, or its first words.
pub(super) fn label(code: &Stmt, is_last: bool) -> String {
    let short = |text: String| match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    match code {
        Stmt::Local(local) => {
            let names: Vec<String> = bound(&local.pat).iter().map(|bound| bound.name.to_string()).collect();
            if names.is_empty() { short(quote!(#local).to_string()) } else { names.join(", ") }
        }
        _ if is_last => "result".to_owned(),
        Stmt::Macro(statement) => format!("{}!", statement.mac.path.to_token_stream()),
        code => short(code.to_token_stream().to_string()),
    }
}
