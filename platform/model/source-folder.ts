/** Which files of a folder are its source, on a disk or in a browser. Browser-safe. */
import { dockerRules, gitRules } from './source-rules.ts'

/** How much source may be sent, before it is packed; what is sent has a limit of its own. */
export const maxSourceFiles = 100_000
export const maxSourceBytes = 4 * 2 ** 30

export interface FolderEntry {
  name: string
  isFolder: boolean
}

/** Paths are inside the folder, with slashes; the folder itself is ''. */
export interface FolderReader<Entry extends FolderEntry> {
  children(at: string): Promise<readonly Entry[]>
  /** Empty where there is no such file. */
  text(path: string): Promise<string>
}

export interface SourceRules {
  /** Of the Dockerfile, which is sent whatever is ignored. */
  dockerfile?: string
  /** False: files that Git does not keep are sent too. */
  ignoresGit?: boolean
  /** Names of folders that are left out wherever they are; `.git` always is. */
  without?: readonly string[]
}

interface GitRulesAt {
  at: string
  rules: ReturnType<typeof gitRules>
}

/** All that `.gitignore` files and `.dockerignore` leave, folders before what is in them. */
export async function* sourceEntries<Entry extends FolderEntry>(
  folder: FolderReader<Entry>,
  { dockerfile = '', ignoresGit = true, without = [] }: SourceRules = {},
): AsyncGenerator<{ path: string; entry: Entry }, void, undefined> {
  const docker = dockerRules(await folder.text('.dockerignore'))
  const always = new Set(['.dockerignore', 'Dockerfile', 'Containerfile', dockerfile])
  yield* walk('', [])

  async function* walk(at: string, above: readonly GitRulesAt[]): ReturnType<typeof sourceEntries<Entry>> {
    const text = ignoresGit ? await folder.text(join(at, '.gitignore')) : ''
    const git = text === '' ? above : [{ at, rules: gitRules(text) }, ...above]
    const entries = [...(await folder.children(at))].sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (entry.name === '.git' || (entry.isFolder && without.includes(entry.name))) continue
      const path = join(at, entry.name)
      const seen = entry.isFolder ? `${path}/` : path
      const isGitIgnored =
        git
          .map((each) => each.rules(each.at === '' ? seen : seen.slice(each.at.length + 1)))
          .find((says) => says !== null) ?? false
      const isLeftOut = isGitIgnored || docker.isLeftOut(seen)
      if (!entry.isFolder) {
        if (!isLeftOut || always.has(path)) yield { path, entry }
        continue
      }
      const isWanted = [...always].some((file) => file.startsWith(seen))
      if (isLeftOut && !isWanted && !(docker.hasExceptions && !isGitIgnored)) continue
      if (!isLeftOut) yield { path, entry }
      yield* walk(path, git)
    }
  }
}

function join(at: string, name: string): string {
  return at === '' ? name : `${at}/${name}`
}
