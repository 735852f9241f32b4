/** Lists as `--format` asks for them: a table, JSON a line, or a template a line. */
import { say } from '../say.ts'
import { printJson } from './options.ts'
import { table } from './table.ts'
import { template } from './template.ts'

export interface Listing<Field extends string> {
  /** What Docker calls each field, and its heading. */
  headings: Record<Field, string>
  /** Those that are shown when nothing else is asked for. */
  columns: NoInfer<Field>[]
  rows: Record<NoInfer<Field>, string>[]
}

export interface ListingOptions {
  json?: boolean
  quiet?: boolean
  format: string
}

/** As `--json`, `--quiet` (names alone) or `--format` ask for it. Throws as showList does. */
export function showRows<Row, Field extends string>(
  { json, quiet, format }: ListingOptions,
  rows: Row[],
  nameOf: (row: Row) => string,
  listing: Listing<Field>,
): void {
  if (json) printJson(rows)
  else if (quiet) for (const row of rows) say(nameOf(row))
  else showList(format, listing)
}

/** Throws CommandError for a template that is none. */
export function showList<Field extends string>(
  format: string,
  { headings, columns, rows }: Listing<Field>,
): void {
  if (format === 'table' || format === '') {
    const cells = rows.map((row) => columns.map((field) => row[field]))
    say(
      table(
        columns.map((field) => headings[field]),
        cells,
      ),
    )
    return
  }
  if (format === 'json') {
    for (const row of rows) say(JSON.stringify(row))
    return
  }
  const [, columnsAsked] = /^table\s+(.*)$/s.exec(format) ?? []
  const show = template(columnsAsked ?? format)
  if (columnsAsked === undefined) for (const row of rows) say(show(row))
  else
    say(
      table(
        show(headings).split('\t'),
        rows.map((row) => show(row).split('\t')),
      ),
    )
}
