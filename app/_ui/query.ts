/** The fields of a page's address that are given, once each and not empty. */
export function queryOf<Name extends string>(
  asked: Record<string, string | string[] | undefined>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = asked[name]
    if (typeof value === 'string' && value.trim() !== '') given[name] = value.slice(0, 200)
  }
  return given
}

/** The path with the fields that have a value. */
export function addressOf(path: string, query: Record<string, string | undefined>): string {
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) fields.set(name, value)
  return fields.size === 0 ? path : `${path}?${fields}`
}
