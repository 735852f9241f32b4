import { z } from 'zod'
import { PlatformError } from './errors.ts'
import { type PageInput, pageInputSchema } from './model/inputs.ts'
import type { Page } from './model/resources.ts'
import { validate } from './validate.ts'

export interface PageRequest {
  /** Value of the sort key of the last item of the page before; null on the first page. */
  after: string | number | null
  limit: number
}

/** Lists go by a key that never changes (an id or a number), so pages neither lose nor repeat what was there. */
export function parsePage(input: PageInput | undefined): PageRequest {
  const { cursor, limit } = validate(pageInputSchema, input ?? {})
  return { after: cursor === undefined ? null : decodeCursor(cursor), limit }
}

/** `rows` holds up to limit + 1 of them: the one too many says that there is a next page. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => string | number,
  show: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    data: shown.map(show),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  }
}

const cursorSchema = z.union([
  z
    .string()
    .max(200)
    // What the database can't hold, such as NUL, was never in a cursor.
    .regex(/^[\x20-\x7e]*$/),
  z.number().int(),
])

function encodeCursor(key: string | number): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

function decodeCursor(cursor: string): string | number {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch {
    throw new PlatformError('bad-request', 'The cursor is not one that a list gave out.', {
      fields: [{ path: 'cursor', message: 'is not one that a list gave out' }],
    })
  }
}

/** For keys that are ids. */
export function afterId(page: PageRequest): string | undefined {
  return page.after === null ? undefined : String(page.after)
}

/** For keys that are numbers. Throws `bad-request` for a cursor of another list. */
export function afterNumber(page: PageRequest): number | undefined {
  if (page.after === null) return undefined
  if (typeof page.after !== 'number')
    throw new PlatformError('bad-request', 'The cursor is one of another list.')
  return page.after
}
