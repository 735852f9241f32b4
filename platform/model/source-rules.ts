/** What of a folder is not sent: what Git does not keep, and what the build would not see. Browser-safe, pure. */
import ignore, { type Ignore } from 'ignore'

/** A path is relative, with slashes, and ends with one where it is a folder's. */
export type Rules = (path: string) => boolean

/** One folder's .gitignore, for paths seen from that folder. Null: it says nothing of the path. */
export function gitRules(text: string): (path: string) => boolean | null {
  const rules = ignore({ ignorecase: false }).add(text)
  return (path) => {
    const { ignored, unignored } = rules.test(path)
    return ignored ? true : unignored ? false : null
  }
}

/**
 * .dockerignore, whose rules are of another kind than Git's: they begin at the top, the last one that fits decides, and
 * what is left out may be taken back one by one. https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function dockerRules(text: string): { isLeftOut: Rules; hasExceptions: boolean } {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '!')
    .map((line) => {
      const isException = line.startsWith('!')
      const pattern = line
        .slice(isException ? 1 : 0)
        .trim()
        .replace(/^\.?\//, '')
        .replace(/\/+$/, '')
      return { isException, matches: matcher(pattern) }
    })
  return {
    isLeftOut: (path) => rules.findLast(({ matches }) => matches(path))?.isException === false,
    hasExceptions: rules.some(({ isException }) => isException),
  }
}

function matcher(pattern: string): Rules {
  if (pattern === '' || pattern === '.') return () => pattern === '.'
  const one: Ignore = ignore({ ignorecase: false }).add(`/${pattern}`)
  return (path) => one.ignores(path)
}
