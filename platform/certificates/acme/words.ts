/** What went wrong between Berth and the authority, as one line that people can read. */
export function sentenceOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error)
  return said.replace(/\s+/g, ' ').trim().slice(0, 500) || 'no reason was given'
}
