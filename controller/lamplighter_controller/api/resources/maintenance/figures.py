"""Figures of maintenance with the lists behind them, and the monthly report."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Commander, Reader
from lamplighter_controller.api.problems import Problem, not_found, refused
from lamplighter_controller.api.resources.gateways import ReasonIn
from lamplighter_controller.api.resources.maintenance.shown import OrderOut, shown
from lamplighter_controller.api.services import Provided
from lamplighter_controller.api.tables import CSV, csv_of
from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.definitions import LIT_RATE, ORDER_FIGURES
from lamplighter_controller.maintenance.figures.figuring import Figure
from lamplighter_controller.maintenance.figures.pages.page import page
from lamplighter_controller.maintenance.figures.report import Report, definitions, order_rows, rows
from lamplighter_controller.maintenance.orders import records

router = APIRouter(tags=["maintenance"])

PDF: Final = "application/pdf"
MOST_MONTHS: Final = 36
_REPORT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {}, PDF: {}, CSV: {}}, "description": "The report"}
}
Month = Annotated[str, Path(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-11"])]
MonthQuery = Annotated[str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-11"])]


class FigureOut(BaseModel):
    """One figure of one group in one month."""

    figure: str = Field(examples=["timely_repair"])
    by: str = Field(description="all, crew, road or company")
    key: str = Field(description="Which of them; empty: all, or not known")
    month: str = Field(examples=["2026-11"])
    numerator: float
    denominator: float
    value: float | None
    unit: str
    proof: dict[str, int] = Field(
        description="Orders proved by each kind; of the lit rate: lamp-minutes by what proves them"
    )
    list: str | None = Field(description="Where the orders behind it are listed")


class DefinitionOut(BaseModel):
    """What a figure is; words by language (zh, en)."""

    figure: str
    title: dict[str, str]
    numerator: dict[str, str]
    denominator: dict[str, str]
    unit: str
    aim: str


class Figures(BaseModel):
    """Figures with their definitions."""

    items: list[FigureOut]
    definitions: list[DefinitionOut]


class BehindOut(BaseModel):
    """An order behind a figure, and what it adds to the numerator."""

    numerator: float
    order: OrderOut


class BehindList(BaseModel):
    """Every order of the denominator."""

    numerator: float
    denominator: int
    items: list[BehindOut]


class ReportOut(BaseModel):
    """A month that is reported."""

    month: str
    made_ms: int = Field(description="Civil epoch ms")


class Reports(BaseModel):
    """The newest first."""

    items: list[ReportOut]


@router.get("/figures", summary="Figures of maintenance")
async def figures(
    services: Provided,
    _: Reader,
    month: MonthQuery,
    by: Annotated[By, Query()] = By.ALL,
    months: Annotated[int, Query(ge=1, le=MOST_MONTHS, description="So many from `month` on")] = 1,
) -> Figures:
    """Lit rate, timely repair, closing, recurrence, times to detect, arrive and repair."""
    found = await services.maintenance.reporter.figures((by,), month, months)
    return Figures(items=[_figure(one) for one in found], definitions=_definitions())


@router.get("/figures/{figure}/orders", name="behind-figure", summary="The list behind a figure")
async def behind(
    services: Provided,
    _: Reader,
    figure: Annotated[str, Path(max_length=64, examples=["timely_repair"])],
    month: MonthQuery,
    by: Annotated[By, Query()] = By.ALL,
    key: Annotated[str, Query(max_length=64)] = "",
) -> BehindList:
    """Numerator and denominator added up from it are those of the figure."""
    if figure not in ORDER_FIGURES:
        known = ", ".join(ORDER_FIGURES)
        raise refused("path.figure", "known", f"expected one of {known}; lamps behind the lit rate are under /rates")
    found = await services.maintenance.reporter.behind(figure, by, key, month)
    wanted = {one.order for one in found}
    orders = await services.ledger.read(lambda connection: records.by_ids(connection, wanted))
    now_ms = services.clock.civil_ms()
    items = [BehindOut(numerator=one.numerator, order=shown(orders[one.order], now_ms)) for one in found]
    return BehindList(numerator=sum(one.numerator for one in found), denominator=len(found), items=items)


@router.get("/reports", summary="Monthly reports")
async def reports(services: Provided, _: Reader) -> Reports:
    """Each is made once its last night was worked out."""
    found = await services.maintenance.reporter.months()
    return Reports(items=[ReportOut(month=month, made_ms=made_ms) for month, made_ms in found])


@router.post("/reports/{month}", name="make-report", status_code=201, summary="Make a month's report now")
async def make(services: Provided, caller: Commander, month: Month, why: ReasonIn) -> ReportOut:
    """From what is known by now; it replaces the one that was made before."""
    if date.fromisoformat(f"{month}-01") > services.maintenance.reporter.today():
        raise Problem(HTTPStatus.CONFLICT, "not-begun", f"{month} has not begun", field="path.month")
    report = await services.maintenance.reporter.make(month, caller.who, why.reason)
    return ReportOut(month=report.month, made_ms=report.made_ms)


@router.get("/reports/{month}", name="report", summary="A monthly report", response_class=Response, responses=_REPORT)
async def report(
    services: Provided,
    _: Reader,
    month: Month,
    form: Annotated[Literal["html", "pdf", "csv", "orders-csv"], Query()] = "html",
    language: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    """As a page, a document, or as tables: figures (csv), or the orders (orders-csv)."""
    found = await services.maintenance.reporter.kept(month)
    if found is None:
        raise not_found("report", month)
    name = f"lamplighter-{month}"
    match form:
        case "csv":
            return csv_of(rows(found), name)
        case "orders-csv":
            return csv_of(order_rows(found.orders), f"{name}-orders")
        case "pdf":
            content = await services.maintenance.reporter.rendered(lambda: _document(found, language))
            headers = {"Content-Disposition": f'attachment; filename="{name}-{language}.pdf"'}
            return Response(content, media_type=PDF, headers=headers)
    text = await services.maintenance.reporter.rendered(lambda: page(found, language).encode())
    return Response(text, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": STRICT})


STRICT: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def _document(report: Report, language: str) -> bytes:
    from lamplighter_controller.maintenance.figures.pages.document import (  # noqa: PLC0415 - takes half a second to load
        document,
    )

    return document(report, language)


def _figure(one: Figure) -> FigureOut:
    where = f"/api/v1/figures/{one.figure}/orders?month={one.month}&by={one.by}&key={one.key}"
    return FigureOut(
        figure=one.figure,
        by=one.by,
        key=one.key,
        month=one.month,
        numerator=one.numerator,
        denominator=one.denominator,
        value=one.value,
        unit=one.unit,
        proof=dict(one.proof),
        list=None if one.figure == LIT_RATE else where,
    )


def _definitions() -> list[DefinitionOut]:
    return [
        DefinitionOut(
            figure=one.figure,
            title={"zh": one.title[0], "en": one.title[1]},
            numerator={"zh": one.numerator[0], "en": one.numerator[1]},
            denominator={"zh": one.denominator[0], "en": one.denominator[1]},
            unit=one.unit,
            aim=one.aim,
        )
        for one in definitions()
    ]
