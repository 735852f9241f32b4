/** Pieces that generated Dockerfiles share. Pure. */
import type { Plan, SourceFacts } from './source-view.ts'

/** Nobody in particular; exists in no image, and needs to in none. */
export const user = '1000:1000'

/** A command line as Dockerfiles have it: run by a shell that is replaced by the program, so that it gets signals. */
export function shellCommand(line: string): string {
  return `CMD ${JSON.stringify(['/bin/sh', '-c', isSimple(line) ? `exec ${line}` : line])}`
}

export function execCommand(...words: string[]): string {
  return `CMD ${JSON.stringify(words)}`
}

function isSimple(line: string): boolean {
  return (
    !/[;&|()<>`\n]/.test(line) && !/^\s*(exec|cd|export|if|for|while)\b/.test(line) && !/^\s*\w+=/.test(line)
  )
}

/** `RUN --mount`-free, so that every builder takes it. */
export function plan(what: string, source: SourceFacts, lines: (string | null)[], more: string[] = []): Plan {
  const dockerfile = [
    `# Made by Berth for ${oneLine(what)}. Keep it in the repository as Dockerfile to change it.`,
    ...lines.filter((line) => line !== null),
  ].join('\n')
  const secrets = source.files.filter(
    (path) => /(^|\/)\.env(\.[\w.-]+)?$/.test(path) && !/example|sample/.test(path),
  )
  const ignore = ['.git', 'Dockerfile', '.dockerignore', ...secrets.map((path) => path), ...more]
  return { what, dockerfile: `${dockerfile}\n`, ignore: `${ignore.join('\n')}\n` }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** A version out of a file of the source, if it looks like one; it becomes part of an image's name. */
export function versionIn(text: string | undefined | null, pattern: RegExp): string | null {
  const found = pattern.exec(text ?? '')?.[1]
  return found !== undefined && /^\d+(\.\d+){0,2}$/.test(found) ? found : null
}

/** Names of files for COPY: in the JSON form where a space would part them. */
export function copy(paths: string[], to: string): string {
  return paths.some((path) => /[\s"'$\\]/.test(path))
    ? `COPY ${JSON.stringify([...paths, to])}`
    : `COPY ${[...paths, to].join(' ')}`
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function stringsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
