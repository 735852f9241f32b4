/** `berth engine images`: what is here, and which of it. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ImageRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { openDoor } from './door.ts'
import { collect, command, type EngineOptions, printJson } from './options.ts'
import { ago, bytes, short, table } from './table.ts'

export function addImageList(engine: Command): void {
  command(engine, 'images', 'list images')
    .argument('[name]', 'only of this repository, with or without a tag; * stands for anything')
    .option('-a, --all', 'all of them, which is what is listed anyway')
    .option('-q, --quiet', 'digests alone')
    .option('-f, --filter <filter>', 'dangling=true, label=NAME[=VALUE] or reference=PATTERN', filter, [])
    .option('--digests', 'whole digests')
    .option('--no-trunc', 'whole digests')
    .addOption(
      new Option('--format <format>', 'json: one a line').choices(['table', 'json']).default('table'),
    )
    .action(images)
}

type Filter = (row: ImageRow) => boolean

/** One more filter of the command line. Of several all must hold, but of patterns one, as with Docker. */
function filter(text: string, all: string[]): string[] {
  readFilters([text])
  return collect(text, all)
}

export function readFilters(texts: string[]): Filter {
  const patterns: string[] = []
  const filters: Filter[] = []
  for (const text of texts) {
    const [, name = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(text) ?? []
    if (name === 'reference' && value !== '') patterns.push(value)
    else if (name === 'dangling' && (value === 'true' || value === 'false'))
      filters.push(({ references }) => (references.length === 0) === (value === 'true'))
    else if (name === 'label' && value !== '') filters.push(({ labels }) => hasLabel(labels, value))
    else
      throw new InvalidArgumentError(
        'It must be dangling=true, label=NAME, label=NAME=VALUE or reference=PATTERN.',
      )
  }
  if (patterns.length > 0)
    filters.push(({ references }) =>
      references.some((name) => patterns.some((pattern) => fits(name, pattern))),
    )
  return (row) => filters.every((holds) => holds(row))
}

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=')
  const name = at < 0 ? wanted : wanted.slice(0, at)
  return Object.hasOwn(labels, name) && (at < 0 || labels[name] === wanted.slice(at + 1))
}

/** nginx means docker.io/library/nginx of any tag; * is anything but a slash. */
export function fits(reference: string, pattern: string): boolean {
  const { repository } = split(reference)
  const expression = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('[^/]*')}$`,
  )
  const familiar = (name: string) => name.replace(/^docker\.io\/(library\/)?/, '')
  return [reference, repository].some((name) => expression.test(name) || expression.test(familiar(name)))
}

interface ImagesOptions extends EngineOptions {
  quiet?: boolean
  filter: string[]
  digests?: boolean
  trunc: boolean
  format: 'table' | 'json'
}

async function images(name: string | undefined, options: ImagesOptions): Promise<void> {
  const isWanted = readFilters(options.filter)
  const all = await openDoor(options).ask<ImageRow[]>('GET', '/images')
  const rows = all
    .filter(isWanted)
    .map((row) =>
      name === undefined ? row : { ...row, references: row.references.filter((each) => fits(each, name)) },
    )
    .filter(({ references }) => name === undefined || references.length > 0)
  if (options.json) return printJson(rows)
  const digest = (row: ImageRow) => (options.trunc && !options.digests ? short(row.digest) : row.digest)
  if (options.quiet) {
    for (const row of rows) say(digest(row))
    return
  }
  if (options.format === 'json') {
    for (const row of rows) say(JSON.stringify(row))
    return
  }
  const lines = rows.flatMap((row) =>
    (row.references.length === 0 ? ['<none>'] : row.references).map((reference) => {
      const { repository, tag } = split(reference)
      return [repository, tag, digest(row), ago(row.createdAt), bytes(row.sizeBytes)]
    }),
  )
  say(table(['REPOSITORY', 'TAG', 'DIGEST', 'CREATED', 'SIZE'], lines))
}

/** A reference's name, and the tag or `<none>` where it names a digest. */
function split(reference: string): { repository: string; tag: string } {
  const [name = reference] = reference.split('@')
  const at = name.lastIndexOf(':')
  if (at <= name.lastIndexOf('/')) return { repository: name, tag: '<none>' }
  return { repository: name.slice(0, at), tag: name.slice(at + 1) }
}
