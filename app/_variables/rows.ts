import type { SetVariablesInput } from '@/platform/model/inputs.ts'
import type { Variable } from '@/platform/model/resources.ts'

/** A variable as it is edited. */
export interface VariableRow {
  /** Of the row, whatever its name becomes. */
  key: number
  name: string
  value: string
  isSecret: boolean
  /** Containers find it in this file; null: in their environment. */
  filePath: string | null
  /** As the platform has it; null for a new one. Of a secret it tells no value. */
  stored: { value: string | null; isSecret: boolean; filePath: string | null } | null
}

let lastKey = 0

export function newRow(name = '', value = '', isSecret = looksSecret(name)): VariableRow {
  return { key: ++lastKey, name, value, isSecret, filePath: null, stored: null }
}

export function storedRows(variables: Variable[]): VariableRow[] {
  return variables.map(({ name, value, isSecret, filePath }) => ({
    key: ++lastKey,
    name,
    value: value ?? '',
    ...{ isSecret, filePath },
    stored: { value, isSecret, filePath },
  }))
}

/** A first guess, which people can change: what is called like a secret had better be one. */
function looksSecret(name: string): boolean {
  return /(secret|token|password|passwd|private|credential|api_?key|_key$|_dsn$|database_url|redis_url)/i.test(
    name,
  )
}

/** Puts what was pasted into the rows: values of names that are there, and new rows. Empty rows make room. */
export function mergePasted(rows: VariableRow[], pasted: { name: string; value: string }[]): VariableRow[] {
  const merged = rows.filter(({ name, value, stored }) => stored !== null || name !== '' || value !== '')
  for (const { name, value } of pasted) {
    const at = merged.findIndex((row) => row.name === name)
    const there = merged[at]
    if (there === undefined) merged.push(newRow(name, value))
    else merged[at] = { ...there, value }
  }
  return merged
}

/** What differs from what the platform has. `rowOf` tells which row each entry of `set` is of. */
export function changesOf(
  rows: VariableRow[],
  stored: Variable[],
): { input: Required<Pick<SetVariablesInput, 'set' | 'remove'>>; rowOf: number[] } {
  const changed = rows.filter(isChanged)
  const names = new Set(rows.map(({ name }) => name))
  return {
    input: {
      set: changed.map(asInput),
      remove: stored.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    },
    rowOf: changed.map(({ key }) => key),
  }
}

/** For an app that is made with them. */
export function asNew({ name, value, isSecret, filePath }: VariableRow) {
  return { name: name.trim(), value, isSecret, filePath: filePath?.trim() || null }
}

/** A secret that nobody typed anew keeps its value. */
function asInput(row: VariableRow) {
  const { value, ...rest } = asNew(row)
  return row.stored?.value === null && value === '' ? rest : { ...rest, value }
}

/** Fields of the rows that can show what is wrong with them. */
export function fieldsOf(list: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => parts.map((part) => `${list}.${at}.${part}`)).flat()
}

const parts = ['name', 'value', 'filePath'] as const
export type RowErrors = { [Part in (typeof parts)[number]]?: string }

export function errorsOf(errorOf: (path: string) => string | undefined, list: string, at: number): RowErrors {
  return Object.fromEntries(parts.map((part) => [part, errorOf(`${list}.${at}.${part}`)]))
}

function isChanged(row: VariableRow): boolean {
  if (row.stored === null) return row.name !== '' || row.value !== ''
  if ((row.filePath?.trim() || null) !== row.stored.filePath) return true
  if (row.stored.value === null) return row.value !== ''
  return row.value !== row.stored.value || row.isSecret !== row.stored.isSecret
}
