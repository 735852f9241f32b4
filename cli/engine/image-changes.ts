/** `--change`: instructions of a Dockerfile that change what an image says of itself. Source: docker-import(1). */
import { InvalidArgumentError } from 'commander'
import type { ImageChanges } from '../../platform/model/engine-door.ts'

const instructions = 'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER or WORKDIR'

/** One more of several `--change 'INSTRUCTION …'`. */
export function change(text: string, all: ImageChanges = {}): ImageChanges {
  const [, instruction = '', rest = ''] = /^\s*([a-z]+)\s+(\S.*?)\s*$/is.exec(text) ?? []
  switch (instruction.toUpperCase()) {
    case 'CMD':
      return { ...all, command: commandIn(rest) }
    case 'ENTRYPOINT':
      return { ...all, entrypoint: commandIn(rest) }
    case 'ENV':
      return { ...all, environment: { ...all.environment, ...pairsIn(rest) } }
    case 'LABEL':
      return { ...all, labels: { ...all.labels, ...pairsIn(rest) } }
    case 'EXPOSE':
      return { ...all, exposedPorts: [...(all.exposedPorts ?? []), ...wordsIn(rest).map(port)] }
    case 'STOPSIGNAL':
      return { ...all, stopSignal: rest }
    case 'USER':
      return { ...all, user: rest }
    case 'WORKDIR':
      return { ...all, workingDir: rest }
    default:
      throw new InvalidArgumentError(`It must be an instruction: ${instructions}.`)
  }
}

/** ["a", "b"], or a line for a shell. */
function commandIn(text: string): string[] {
  if (!text.startsWith('[')) return ['/bin/sh', '-c', text]
  try {
    const words: unknown = JSON.parse(text)
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('A command in brackets is a list in JSON, such as ["httpd", "-f"].')
}

/** NAME=VALUE of any number, or the older NAME VALUE. */
function pairsIn(text: string): Record<string, string> {
  const words = wordsIn(text)
  const [name = '', ...value] = words
  if (!name.includes('=') && value.length > 0) return { [name]: value.join(' ') }
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw new InvalidArgumentError(`${JSON.stringify(word)} must be NAME=VALUE.`)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** Words as a Dockerfile has them: quotes keep spaces together, a backslash takes the meaning of what follows. */
function wordsIn(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)].map(([word]) =>
    word.replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs,
      (_whole, double?: string, single?: string, escaped?: string) =>
        double?.replace(/\\(["\\$])/g, '$1') ?? single ?? escaped ?? '',
    ),
  )
}

function port(text: string): number {
  const [, digits = ''] = /^(\d{1,5})(?:\/tcp)?$/i.exec(text) ?? []
  const number = Number(digits)
  if (number < 1 || number > 65_535)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no TCP port, such as 80 or 80/tcp.`)
  return number
}
