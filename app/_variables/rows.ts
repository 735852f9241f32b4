import type { SetVariablesInput } from '@/platform/model/inputs.ts'
import type { Variable } from '@/platform/model/resources.ts'

/** A variable as it is edited. */
export interface VariableRow {
  /** Of the row, whatever its name becomes. */
  key: number
  name: string
  value: string
  isSecret: boolean
  /** As the platform has it; null for a new one. Of a secret it tells no value. */
  stored: { value: string | null; isSecret: boolean } | null
}

let lastKey = 0

export function newRow(name = '', value = '', isSecret = looksSecret(name)): VariableRow {
  return { key: ++lastKey, name, value, isSecret, stored: null }
}

export function storedRows(variables: Variable[]): VariableRow[] {
  return variables.map(({ name, value, isSecret }) => ({
    key: ++lastKey,
    name,
    value: value ?? '',
    isSecret,
    stored: { value, isSecret },
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
      set: changed.map(({ name, value, isSecret }) => ({ name: name.trim(), value, isSecret })),
      remove: stored.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    },
    rowOf: changed.map(({ key }) => key),
  }
}

function isChanged(row: VariableRow): boolean {
  if (row.stored === null) return row.name !== '' || row.value !== ''
  if (row.stored.value === null) return row.value !== ''
  return row.value !== row.stored.value || row.isSecret !== row.stored.isSecret
}
