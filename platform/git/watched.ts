/** Which paths of a repository an app is made of. */

/**
 * Whether one of the paths is watched. A pattern names a file, a folder with all that is in it, or has `*` for a part of
 * a name and `**` for any number of folders. No patterns: everything is watched.
 */
export function isWatched(patterns: readonly string[], paths: readonly string[]): boolean {
  if (patterns.length === 0) return true
  const watched = patterns.map((pattern) =>
    pattern
      .replace(/^(\.?\/)+/, '')
      .replace(/\/+$/, '')
      .split('/')
      // Twice any number of folders is any number of folders.
      .filter((part, at, all) => part !== '**' || all[at - 1] !== '**'),
  )
  return paths.some((path) => {
    const parts = path.split('/')
    return watched.some((pattern) => fits(pattern, parts))
  })
}

/** Whether the pattern names the path or a folder above it. By table: no pattern takes long. */
function fits(pattern: string[], parts: string[]): boolean {
  const skip = (at: number): number[] => (pattern[at] === '**' ? [at, at + 1] : [at])
  let reached = new Set(skip(0))
  if (reached.has(pattern.length)) return true
  for (const part of parts) {
    const next = new Set<number>()
    for (const at of reached) {
      const wanted = pattern[at] ?? ''
      if (wanted === '**') for (const each of skip(at)) next.add(each)
      else if (fitsName(wanted, part)) for (const each of skip(at + 1)) next.add(each)
    }
    reached = next
    // What is below a folder that is named is watched as well.
    if (reached.has(pattern.length)) return true
  }
  return false
}

function fitsName(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === name
  const last = rest.pop() ?? ''
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0 || found + piece.length > name.length - last.length) return false
    at = found + piece.length
  }
  return true
}
