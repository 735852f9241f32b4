/** `berth engine images`: what is here, and which of it. */
import { type Command, InvalidArgumentError } from 'commander'
import type { ImageRow } from '../../platform/model/engine-door.ts'
import { type Door, openDoor } from './door.ts'
import { hasLabel } from './filter.ts'
import { type ListingOptions, showRows } from './listing.ts'
import { collect, command, type EngineOptions, moment } from './options.ts'
import { ago, bytes, short } from './table.ts'

export function addImageList(engine: Command): void {
  command(engine, 'images', 'list images, newest first')
    .argument('[name]', 'only of this repository, with or without a tag; * stands for anything')
    .option('-a, --all', 'all of them, which is what is listed anyway')
    .option('-q, --quiet', 'digests alone')
    .option('-f, --filter <filter>', `${filterForms}`, filter, [])
    .option('--digests', 'whole digests')
    .option('--no-trunc', 'whole digests')
    .option(
      '--format <template>',
      'such as {{.Repository}}:{{.Tag}}, table {{.ID}}\\t{{.Size}}, or json',
      'table',
    )
    .action(images)
}

type Filter = (row: ImageRow) => boolean

/** Of the images that `before` and `since` name: when they were made. */
export type Moments = ReadonlyMap<string, string | null>

const filterForms =
  'dangling=true, label=NAME[=VALUE], reference=PATTERN, before=IMAGE, since=IMAGE or until=TIME'

/** One more filter of the command line. Of several all must hold, but of patterns one, as with Docker. */
function filter(text: string, all: string[]): string[] {
  readFilters([text])
  return collect(text, all)
}

/** Images of `before` and `since` that `moments` does not have are taken for made at no known time. */
export function readFilters(texts: string[], moments: Moments = new Map()): Filter {
  const patterns: string[] = []
  const filters: Filter[] = []
  for (const text of texts) {
    const { name, value } = parse(text)
    const asked = moments.get(value) ?? ''
    if (name === 'reference' && value !== '') patterns.push(value)
    else if (name === 'dangling' && (value === 'true' || value === 'false'))
      filters.push(({ references }) => (references.length === 0) === (value === 'true'))
    else if (name === 'label' && value !== '') filters.push(({ labels }) => hasLabel(labels, value))
    else if (name === 'before' && value !== '')
      filters.push(({ createdAt }) => createdAt !== null && Date.parse(createdAt) < Date.parse(asked))
    else if (name === 'since' && value !== '')
      filters.push(({ createdAt }) => createdAt !== null && Date.parse(createdAt) > Date.parse(asked))
    else if (name === 'until') {
      const end = Date.parse(moment(value))
      filters.push(({ createdAt }) => createdAt !== null && Date.parse(createdAt) < end)
    } else throw new InvalidArgumentError(`It must be ${filterForms}.`)
  }
  if (patterns.length > 0)
    filters.push(({ references }) =>
      references.some((name) => patterns.some((pattern) => fits(name, pattern))),
    )
  return (row) => filters.every((holds) => holds(row))
}

function parse(text: string): { name: string; value: string } {
  const [, name = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(text) ?? []
  return { name, value }
}

async function momentsOf(door: Door, filters: string[]): Promise<Moments> {
  const names = filters
    .map(parse)
    .filter(({ name }) => name === 'before' || name === 'since')
    .map(({ value }) => value)
  const found = names.map(async (name): Promise<[string, string | null]> => {
    const { createdAt } = await door.ask<ImageRow>('GET', '/images/inspect', { query: { name } })
    return [name, createdAt]
  })
  return new Map(await Promise.all(found))
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

interface ImagesOptions extends EngineOptions, ListingOptions {
  filter: string[]
  digests?: boolean
  trunc: boolean
}

async function images(name: string | undefined, options: ImagesOptions): Promise<void> {
  const door = openDoor(options)
  const isWanted = readFilters(options.filter, await momentsOf(door, options.filter))
  const all = await door.ask<ImageRow[]>('GET', '/images')
  const rows = all
    .filter(isWanted)
    .map((row) =>
      name === undefined ? row : { ...row, references: row.references.filter((each) => fits(each, name)) },
    )
    .filter(({ references }) => name === undefined || references.length > 0)
    .sort((a, b) => madeAt(b) - madeAt(a))
  const id = ({ digest }: ImageRow) => (options.trunc ? short(digest) : digest)
  showRows(options, rows, id, {
    headings: {
      ...{ ID: 'DIGEST', Repository: 'REPOSITORY', Tag: 'TAG', Digest: 'DIGEST' },
      ...{ CreatedSince: 'CREATED', CreatedAt: 'CREATED AT', Size: 'SIZE' },
    },
    columns: ['Repository', 'Tag', options.digests ? 'Digest' : 'ID', 'CreatedSince', 'Size'],
    rows: rows.flatMap((row) =>
      (row.references.length === 0 ? ['<none>'] : row.references).map((reference) => {
        const { repository, tag } = split(reference)
        return {
          ...{ ID: id(row), Repository: repository, Tag: tag, Digest: row.digest },
          ...{ CreatedSince: ago(row.createdAt), CreatedAt: row.createdAt ?? '', Size: bytes(row.sizeBytes) },
        }
      }),
    ),
  })
}

function madeAt({ createdAt }: ImageRow): number {
  return createdAt === null ? 0 : Date.parse(createdAt)
}

/** A reference's name, and the tag or `<none>` where it names a digest. */
export function split(reference: string): { repository: string; tag: string } {
  const [name = reference] = reference.split('@')
  const at = name.lastIndexOf(':')
  if (at <= name.lastIndexOf('/')) return { repository: name, tag: '<none>' }
  return { repository: name.slice(0, at), tag: name.slice(at + 1) }
}
