import { inspect } from 'node:util'

const mask = '••••••'

/** A value that may be compared, and by no way printed, written to JSON or stored. */
export class Masked {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  isSame(other: unknown): boolean {
    return other instanceof Masked && other.#value === this.#value
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  [inspect.custom](): string {
    return mask
  }
}

/** What may be written down of a thing. A secret has a place here only as one that is masked. */
export type Fact = string | number | boolean | null | undefined | Masked | Fact[] | { [field: string]: Fact }

type Json = string | number | boolean | null | Json[] | { [field: string]: Json }

/** One field that differs. Null: it was not there before, or is not any more. */
export interface Change {
  /** Such as settings.limits.memoryBytes. */
  field: string
  before: Json
  after: Json
}

/** The fields in which two states differ, by name, those of objects inside one by one. Lists count as a whole. */
export function changesBetween(before: Facts | undefined, after: Facts | undefined): Change[] {
  const old = flat(before)
  const now = flat(after)
  const fields = [...new Set([...old.keys(), ...now.keys()])].sort()
  return fields.flatMap((field) => {
    const [was, is] = [old.get(field), now.get(field)]
    if (isSame(was, is)) return []
    return [{ field, before: plain(was), after: plain(is) }]
  })
}

export type Facts = { [field: string]: Fact }

function flat(facts: Facts | undefined, prefix = ''): Map<string, Fact> {
  const found = new Map<string, Fact>()
  for (const [name, value] of Object.entries(facts ?? {})) {
    if (value === undefined || value === null) continue
    if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Masked)) {
      for (const [inner, fact] of flat(value, `${prefix}${name}.`)) found.set(inner, fact)
    } else found.set(prefix + name, value)
  }
  return found
}

function isSame(a: Fact, b: Fact): boolean {
  if (a instanceof Masked) return a.isSame(b)
  if (b instanceof Masked) return false
  return JSON.stringify(a) === JSON.stringify(b)
}

const longest = 2_000

function plain(fact: Fact): Json {
  if (fact === undefined) return null
  if (typeof fact === 'string' && fact.length > longest) return `${fact.slice(0, longest)}…`
  return JSON.parse(JSON.stringify(fact))
}
