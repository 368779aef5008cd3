//! From a function to its statements, and who uses what.

use super::binding::{Binding, Kind, Use, bound};
use super::scope::{Scope, Sites, Walk, refuse_cfg};
use crate::mistakes::Mistakes;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use std::collections::BTreeSet;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprReturn, ExprTry, ExprUnary, FnArg, Item, ItemFn, LocalInit, Pat, ReceiverKind,
    ReturnType, Signature, Stmt, Type, UnOp, parse_quote,
};

/// A statement of the body that is not an item. The last one is the function's value.
pub(super) struct Statement {
    pub(super) code: Stmt,
    /// How many bindings there are before it.
    pub(super) bindings: usize,
    /// The bindings that it uses, and those that it makes.
    pub(super) uses: BTreeSet<usize>,
    pub(super) makes: Vec<usize>,
    /// All before it end before it begins, and all behind it begin after it.
    pub(super) is_fence: bool,
    /// It calls something: see [`Walk::calls`].
    pub(super) calls: bool,
    /// Where it may leave the function.
    pub(super) leaves: Option<Span>,
    /// A macro that returns from the function.
    pub(super) returns_by: Option<Ident>,
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

/// How the names of what `&make()` makes begin.
const MADE: &str = "__made";

pub(super) struct Body {
    pub(super) items: Vec<Item>,
    pub(super) statements: Vec<Statement>,
    pub(super) bindings: Vec<Binding>,
    pub(super) scope: Scope,
    /// What the function calls its arguments, and what they are taken apart by, if they are.
    pub(super) arguments: Vec<Argument>,
    /// rustc refuses it, and would do so in other words for the graph.
    pub(super) is_wrong: bool,
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
            scope: Scope::new(),
            arguments: Vec::new(),
            is_wrong: false,
            hoisted: 0,
        };
        for (index, input) in function.sig.inputs.iter().enumerate() {
            body.argument(index, input);
        }
        for code in body.split(function, mistakes) {
            body.statement(code, &function.sig, mistakes);
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

    /// The statements that make what some statements use.
    pub(super) fn needs(&self, statements: &[usize]) -> impl Iterator<Item = usize> {
        let uses = statements.iter().flat_map(|statement| &self.statements[*statement].uses);
        uses.filter_map(|binding| self.bindings[*binding].made_by)
    }

    /// What a mistake calls a statement.
    pub(super) fn said(&self, statement: usize) -> String {
        if statement == self.last() {
            return "the last expression".to_owned();
        }
        format!("`{}`", label(&self.statements[statement].code, false))
    }

    fn bind(&mut self, binding: Binding) {
        self.scope.entry(binding.name.unraw().to_string()).or_default().push(self.bindings.len());
        self.bindings.push(binding);
    }

    fn argument(&mut self, index: usize, input: &FnArg) {
        match input {
            FnArg::Receiver(receiver) => {
                let name = Ident::new("self", receiver.self_token.span());
                let mut binding = Binding::new(
                    super::binding::Bound { name, mutable: receiver.mutability.is_some(), by_ref: false },
                    None,
                );
                binding.is_reference = matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
                binding.is_mut_reference = matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)));
                self.bind(binding);
                let name = Ident::new("self", receiver.self_token.span());
                self.arguments.push(Argument { name, pat: None });
            }
            FnArg::Typed(typed) => {
                for bound in bound(&typed.pat) {
                    let mut binding = Binding::new(bound, None);
                    if let (Pat::Ident(_), Type::Reference(reference)) =
                        (&*typed.pat, crate::signature::peel(&typed.ty))
                    {
                        binding.is_mut_reference = reference.mutability.is_some();
                        binding.is_reference = !binding.is_mut_reference;
                    }
                    self.bind(binding);
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
            let attrs = attrs(statement);
            refuse_cfg(&attrs, mistakes);
            for (attr, word, _) in attrs.iter().filter_map(wish) {
                mistakes.at(attr, format!("`#[{word}]` goes before a `let`: remove it, or bind the value"));
            }
        }
        statements
    }

    /// `let x = &make().y;` keeps what is made to the end of the body: as a statement of its own.
    fn hoisted(&mut self, code: Stmt) -> Vec<Stmt> {
        let Stmt::Local(mut local) = code else { return vec![code] };
        let Some(LocalInit { expr, diverge: None, .. }) = &mut local.init else {
            return vec![Stmt::Local(local)];
        };
        let Expr::Reference(reference) = &mut **expr else { return vec![Stmt::Local(local)] };
        let is_mut = reference.mutability.is_some();
        let Some(made) = made(&mut reference.expr).filter(|_| !is_mut) else {
            return vec![Stmt::Local(local)];
        };
        let name = format_ident!("{MADE}{}", self.hoisted, span = made.span());
        self.hoisted += 1;
        let made = std::mem::replace(made, parse_quote!(#name));
        vec![parse_quote!(let #name = #made;), Stmt::Local(local)]
    }

    fn statement(&mut self, mut code: Stmt, sig: &Signature, mistakes: &mut Mistakes) {
        let index = self.statements.len();
        let wish = take_wish(&mut code, mistakes);
        let mut found = Uses(Vec::new());
        let before = self.bindings.len();
        let mut walk = Walk::new(&self.scope, before, &mut found);
        walk.awaits = sig.asyncness.is_some();
        walk.tries = may_be_left_by_question_mark(&sig.output);
        syn::visit_mut::VisitMut::visit_stmt_mut(&mut walk, &mut code.clone());
        self.is_wrong |= walk.is_wrong;
        let (calls, leaves, returns_by) = (walk.calls, walk.leaves, walk.returns_by);
        mistakes.append(walk.mistakes);
        let uses = found.0.iter().map(|(binding, _)| *binding).collect();
        for (binding, used) in found.0 {
            let users = &mut self.bindings[binding].users;
            let most = users.entry(index).or_insert(used);
            if used.kind > most.kind {
                *most = used;
            }
        }
        let mut makes = Vec::new();
        if let Stmt::Local(local) = &code {
            if local.init.is_none() {
                mistakes.at(
                    local,
                    "a graph's binding gets its value where it is declared, as in `let x = if … { … } else { … };`",
                );
            }
            for bound in bound(&local.pat) {
                makes.push(self.bindings.len());
                self.bind(Binding::new(bound, Some(index)));
            }
        }
        let is_fence = !matches!(code, Stmt::Local(_));
        self.statements.push(Statement {
            code,
            bindings: before,
            uses,
            makes,
            is_fence,
            calls,
            leaves,
            returns_by,
            wish,
        });
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

/// Whether the function returns something that may be a `Result` or the like. Names are taken for what they
/// usually are.
fn may_be_left_by_question_mark(output: &ReturnType) -> bool {
    const OTHERS: [&str; 19] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
        "u128", "usize", "String", "Vec", "Box",
    ];
    let ReturnType::Type(_, ty) = output else { return false };
    match crate::signature::peel(ty) {
        Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 1 => {
            !OTHERS.iter().any(|other| path.path.segments[0].ident == other)
        }
        Type::Tuple(_) | Type::Reference(_) | Type::Array(_) | Type::Ptr(_) => false,
        _ => true,
    }
}

/// What an expression makes that is borrowed, or a part of which is.
fn made(expr: &mut Expr) -> Option<&mut Expr> {
    match expr {
        Expr::Field(field) => made(&mut field.base),
        Expr::Index(index) => made(&mut index.expr),
        Expr::Paren(paren) => made(&mut paren.expr),
        Expr::Unary(ExprUnary { op: UnOp::Deref(_), expr, .. }) => made(expr),
        Expr::Call(_)
        | Expr::MethodCall(_)
        | Expr::Macro(_)
        | Expr::Block(_)
        | Expr::Binary(_)
        | Expr::Struct(_)
        | Expr::Array(_)
        | Expr::Tuple(_)
        | Expr::Await(_)
        | Expr::Try(_) => Some(expr),
        _ => None,
    }
}

/// The attributes of a statement that is no `let`.
fn attrs(statement: &Stmt) -> Vec<Attribute> {
    let read = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>()?;
        Ok(attrs)
    };
    match statement {
        Stmt::Macro(statement) => statement.attrs.clone(),
        Stmt::Expr(expr, _) => read.parse2(expr.to_token_stream()).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// `#[node]` or `#[fuse]`.
pub(super) fn wish(attr: &Attribute) -> Option<(&Attribute, &Ident, Wish)> {
    let word = attr.path().get_ident()?;
    let wish = if word == "node" {
        Wish::Node
    } else if word == "fuse" {
        Wish::Fuse
    } else {
        return None;
    };
    Some((attr, word, wish))
}

/// Takes `#[node]` or `#[fuse]` from a statement.
fn take_wish(code: &mut Stmt, mistakes: &mut Mistakes) -> Wish {
    let mut found = Wish::None;
    if let Stmt::Local(local) = code {
        local.attrs.retain(|attr| {
            let Some((attr, word, wish)) = wish(attr) else { return true };
            if attr.meta.require_path_only().is_err() {
                mistakes.at(attr, format!("`#[{word}]` stands alone: remove what follows the word"));
            } else if found != Wish::None {
                mistakes.at(attr, "a statement has one of `#[node]` and `#[fuse]`, once: remove the other");
            }
            found = wish;
            false
        });
    }
    found
}

/// How a statement is called in drawings: what it binds, or its first words. Empty if the user has not written it.
pub(super) fn label(code: &Stmt, is_last: bool) -> String {
    let short = |tokens: TokenStream| {
        let text = tokens.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(40) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    match code {
        Stmt::Local(local) => {
            let names: Vec<String> = bound(&local.pat).iter().map(|bound| bound.name.to_string()).collect();
            match &names[..] {
                [] => short(quote!(#local)),
                [made] if made.starts_with(MADE) => String::new(),
                names => names.join(", "),
            }
        }
        _ if is_last => "result".to_owned(),
        Stmt::Macro(statement) => format!("{}!", statement.mac.path.to_token_stream()),
        code => short(code.to_token_stream()),
    }
}
