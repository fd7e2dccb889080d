// table and data_table: the library renders the cells. Both have their headings in the first row.
import { useLayoutEffect, useRef, useState } from "react";
import { LibraryBlock, plainRichText } from "./LibraryBlock";
import type { Json } from "./slack";
import { textOf } from "./text";

interface Sort {
  column: number;
  down: boolean;
}

// As rich_text, because the library parses the text of plain cells as Markdown.
const asRich = (cell: Json): Json => (cell?.type === "rich_text" ? cell : plainRichText(textOf(cell)));

function Grid(props: { rows: Json[][]; settings?: Json[]; caption: string; sort?: Sort }) {
  const { rows, settings, caption, sort } = props;
  const frame = useRef<HTMLDivElement>(null);
  // The library renders headings as ordinary cells, so they need a role.
  useLayoutEffect(() => {
    frame.current?.querySelectorAll("tr:first-child > td").forEach((cell, column) => {
      cell.role = "columnheader";
      cell.ariaSort = sort?.column !== column ? null : sort.down ? "descending" : "ascending";
    });
  });
  const column_settings = rows[0]?.map((_, column) => {
    const isNumber = rows[1]?.[column]?.type === "raw_number";
    return { ...(isNumber && { align: "right" }), ...settings?.[column] };
  });
  const cells = rows.map((row) => row.map(asRich));
  return (
    <div ref={frame} className="sheet" role="region" aria-label={caption} tabIndex={0}>
      <LibraryBlock block={{ type: "table", rows: cells, column_settings }} />
    </div>
  );
}

export function Table({ of }: { of: Json }) {
  const count = Math.max(of.rows.length - 1, 0);
  return (
    <figure className="table">
      <Grid rows={of.rows} settings={of.column_settings} caption={`Table of ${count} rows`} />
      {count > 8 && <figcaption>{count} rows · scroll to see all</figcaption>}
    </figure>
  );
}

const compare = (a: Json, b: Json): number =>
  a?.type === "raw_number" && b?.type === "raw_number"
    ? Number(a.value) - Number(b.value)
    : textOf(a).localeCompare(textOf(b), undefined, { numeric: true });

// Unknown to the library: it renders one page of rows; sorting and paging are ours.
export function DataTable({ of }: { of: Json }) {
  const [sort, setSort] = useState<Sort>();
  const [page, setPage] = useState(0);
  const [head = [], ...body] = of.rows as Json[][];
  const size = Math.max(1, Number(of.page_size ?? 5));
  const pages = Math.max(1, Math.ceil(body.length / size));
  const at = Math.min(page, pages - 1);
  if (sort)
    body.sort((a, b) => compare(a[sort.column], b[sort.column]) * (sort.down ? -1 : 1));
  const headings = head.map((cell, column) =>
    plainRichText(
      <button
        type="button"
        onClick={() => setSort({ column, down: sort?.column === column && !sort.down })}
      >
        {textOf(cell)}{" "}
        <span aria-hidden="true">{sort?.column === column ? (sort.down ? "↓" : "↑") : ""}</span>
      </button>,
    ),
  );
  const shown = body.slice(at * size, (at + 1) * size);
  return (
    <figure className="table">
      <figcaption>
        <b>{of.caption}</b>
      </figcaption>
      <Grid rows={[headings, ...shown]} caption={of.caption} sort={sort} />
      {pages > 1 && (
        <figcaption className="pager">
          <button type="button" disabled={at === 0} onClick={() => setPage(at - 1)}>
            Previous
          </button>
          Page {at + 1} of {pages} · {body.length} rows
          <button type="button" disabled={at === pages - 1} onClick={() => setPage(at + 1)}>
            Next
          </button>
        </figcaption>
      )}
    </figure>
  );
}
