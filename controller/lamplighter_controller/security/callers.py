"""Who calls: an API token or a person's account, and what either may do. Pure."""

from dataclasses import dataclass, field, replace

from lamplighter_controller.security.rights import (
    EVERYTHING,
    NEEDS_CODE,
    OPERATIONS,
    By,
    Grant,
    Operation,
    Right,
    Role,
    Scope,
    granted,
)
from lamplighter_controller.security.routes import ROUTES, Declared
from lamplighter_controller.security.tokens import Token


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the audit trail names it. `scope`: what the right reaches that let the caller in.

    `token` and `account` are the id of one of the two. `lacks`: what an account has to do before it may do anything.
    """

    who: str
    name: str
    rights: frozenset[Right]
    grants: tuple[Grant, ...] = ()
    token: str | None = None
    account: str | None = None
    lacks: tuple[str, ...] = ()
    confined: Scope = EVERYTHING
    scope: Scope = field(default=EVERYTHING)

    def allows(self, right: Right) -> bool:
        """True for the rights a token has, and those they hold; for a person, when nothing of it is beyond the roles.

        Else somebody could make a token that may do more than themselves, and approve with it what they asked for.
        """
        if self.account is None or right is Right.READ:
            return right in self.rights or (right is Right.LIGHTING and Right.COMMAND in self.rights)
        roles = {grant.role for grant in self.grants if grant.scope.whole}
        return bool(self.rights) and all(roles & rule.roles for rule in OPERATIONS.values() if rule.right is right)

    def reach(self, operation: Operation, by: By) -> Scope | None:
        """What the caller reaches for an operation at a route that looks at `by`; None = it may not."""
        return self._reach(Declared(operation, by))

    def at(self, route: str) -> "Caller | None":
        """The caller with what it reaches at a route, None when it may not come in; what is not declared is refused."""
        declared = ROUTES.get(route)
        scope = self._reach(declared) if declared else None
        return None if scope is None else replace(self, scope=scope)

    def _reach(self, declared: Declared) -> Scope | None:
        if self.account is None:
            rule = OPERATIONS[declared.operation]
            lawful = self.allows(rule.right) and self.confined.fits(declared.by)
            foreign = self.confined.companies is not None and Role.DISPATCHER not in rule.roles
            return self.confined if lawful and not foreign else None
        if declared.operation is Operation.SELF:
            return EVERYTHING
        return None if self.lacks else granted(self.grants, declared.operation, declared.by)


def of_token(token: Token) -> Caller:
    """An API token as a caller."""
    return Caller(token.who, token.name, token.rights, token=token.id, confined=token.scope)


def of_account(identity: str, name: str, grants: tuple[Grant, ...], *, has_code: bool, must_change: bool) -> Caller:
    """A person as a caller; who lacks a password of their own, or the code their roles ask for, sets these first."""
    lacks = (("password",) if must_change else ()) + (("code",) if needs_code(grants) and not has_code else ())
    rights = frozenset() if lacks else _rights(grants)
    return Caller(f"user:{name}", name, rights, grants, account=identity, lacks=lacks)


def needs_code(grants: tuple[Grant, ...]) -> bool:
    """True when one of the roles can switch or limit."""
    return any(grant.role in NEEDS_CODE for grant in grants)


def _rights(grants: tuple[Grant, ...]) -> frozenset[Right]:
    roles = {grant.role for grant in grants}
    return frozenset(rule.right for rule in OPERATIONS.values() if roles & rule.roles)
