import type { Command } from 'commander'
import type {
  HistoryRow,
  ImageRow,
  PullRequest,
  PushedRow,
  PushRequest,
  RemoteNamesRequest,
  RemovedRow,
} from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { type Door, openDoor } from './door.ts'
import { addImageList, fits, split } from './image-list.ts'
import { type Line, layerDisplay } from './layer-display.ts'
import { showList } from './listing.ts'
import { command, type EngineOptions, forEach, interruptible, printJson } from './options.ts'
import { credentialsOf, type RegistryOptions, withRegistryOptions } from './registry-options.ts'
import { ago, bytes, short } from './table.ts'

export function addImageCommands(engine: Command): void {
  addImageList(engine)
  withRegistryOptions(command(engine, 'pull', 'pull an image from its registry'))
    .argument('<reference>', 'such as nginx, ghcr.io/acme/shop:2 or localhost:7080/main/welcome@sha256:…')
    .option('-a, --all-tags', 'every tag that the repository has in its registry')
    .option('--platform <platform>', "such as linux/arm64; default: this host's")
    .option('-q, --quiet', 'no progress')
    .action(pull)
  withRegistryOptions(command(engine, 'push', 'push an image to a registry'))
    .argument('<image>', 'its name there; or its name or digest here, and the name there behind it')
    .argument('[name]', 'its name there')
    .option('-a, --all-tags', 'every name that this repository has here')
    .option('-q, --quiet', 'no progress')
    .action(push)
  command(engine, 'rmi', 'remove images that no container uses')
    .argument('<image...>', 'names, digests, or the first digits of a digest')
    .option('-f, --force', 'a digest with all of its names')
    .option('--no-prune', 'nothing: an image here has no parents that would go with it')
    .action(removeImages)
  command(engine, 'tag', 'give an image one more name')
    .argument('<image>', 'name or digest')
    .argument('<name>', 'such as shop:stable')
    .action(async (source: string, target: string, options: EngineOptions) => {
      const image = await openDoor(options).ask<ImageRow>('POST', '/images/tag', { body: { source, target } })
      if (options.json) printJson(image)
    })
  command(engine, 'history', 'how an image was made, newest step first')
    .argument('<image>', 'name or digest')
    .option('-q, --quiet', 'layers alone')
    .option('--no-trunc', 'whole commands and digests')
    .option('-H, --human [yes]', 'sizes and times for people; --human=false for numbers', 'true')
    .option('--format <template>', 'such as {{.ID}}: {{.CreatedBy}}, or json', 'table')
    .action(history)
}

async function history(
  name: string,
  options: EngineOptions & { quiet?: boolean; trunc: boolean; human: string | true; format: string },
): Promise<void> {
  const steps = await openDoor(options).ask<HistoryRow[]>('GET', '/images/history', { query: { name } })
  if (options.json) return printJson(steps)
  const layerOf = ({ layer }: HistoryRow) =>
    layer === null ? '<none>' : options.trunc ? short(layer.diffId) : layer.diffId
  if (options.quiet) {
    for (const step of steps) say(layerOf(step))
    return
  }
  const isHuman = options.human !== 'false'
  const rows = steps.map((step) => {
    const { createdAt, createdBy, comment, layer } = step
    const by = createdBy.replace(/\s+/g, ' ')
    const made = options.trunc && by.length > 60 ? `${by.slice(0, 59)}…` : by
    const size = layer?.sizeBytes ?? 0
    return {
      ...{ ID: layerOf(step), CreatedAt: createdAt ?? '', CreatedBy: made, Comment: comment },
      ...{ CreatedSince: ago(createdAt), Size: isHuman ? bytes(size) : String(size) },
    }
  })
  showList(options.format, {
    headings: {
      ...{ ID: 'LAYER', CreatedAt: 'CREATED AT', CreatedSince: 'CREATED', CreatedBy: 'CREATED BY' },
      ...{ Size: 'SIZE', Comment: 'COMMENT' },
    },
    columns: ['ID', isHuman ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
    rows,
  })
}

async function pull(
  reference: string,
  options: RegistryOptions & { quiet?: boolean; platform?: string; allTags?: boolean },
): Promise<void> {
  const { platform } = options
  const door = openDoor(options)
  const credentials = await credentialsOf(options)
  const quiet = options.quiet === true || options.json === true
  const names = options.allTags
    ? await remoteNames(door, { repository: reference, credentials })
    : [reference]
  const images: ImageRow[] = []
  for (const name of names) {
    const body: PullRequest = { reference: name, platform, credentials }
    const image = await withLayers(door, '/images/pull', body, quiet)
    images.push(image)
    if (!options.json) say(options.allTags ? `${name}: ${image.digest}` : image.digest)
  }
  if (options.json) printJson(options.allTags ? images : images[0])
}

/** Every name of a repository that its registry has. */
async function remoteNames(door: Door, body: RemoteNamesRequest): Promise<string[]> {
  const names = await interruptible((signal) =>
    door.work<never, string[]>('POST', '/images/remote-names', { body, signal }),
  )
  if (names.length === 0) throw new CommandError(`${body.repository} has no tags in its registry.`)
  return names
}

async function push(
  image: string,
  to: string | undefined,
  options: RegistryOptions & { quiet?: boolean; allTags?: boolean },
): Promise<void> {
  const door = openDoor(options)
  const names = options.allTags ? await namesOf(door, image, to) : [image]
  const credentials = await credentialsOf(options)
  const quiet = options.quiet === true || options.json === true
  const all: PushedRow[] = []
  for (const name of names) {
    const body: PushRequest = { image: name, to, credentials }
    const pushed = await withLayers<PushedRow>(door, '/images/push', body, quiet)
    all.push(pushed)
    if (!options.json) say(`${pushed.reference}: ${pushed.digest}`)
  }
  if (options.json) printJson(options.allTags ? all : all[0])
}

/** Every name of a repository that is here. */
async function namesOf(door: Door, repository: string, to: string | undefined): Promise<string[]> {
  if (
    to !== undefined ||
    /[*@]/.test(repository) ||
    repository.lastIndexOf(':') > repository.lastIndexOf('/')
  )
    throw new CommandError('With --all-tags give a repository alone, such as ghcr.io/acme/shop.')
  const rows = await door.ask<ImageRow[]>('GET', '/images')
  const names = rows.flatMap(({ references }) => references).filter((name) => fits(name, repository))
  const tagged = names.filter((name) => split(name).tag !== '<none>')
  if (tagged.length === 0) throw new CommandError(`There is no image of ${repository} here.`)
  return tagged
}

/** Work on layers, with its progress shown. */
export async function withLayers<Result = ImageRow>(
  door: Door,
  path: string,
  body: unknown,
  isQuiet: boolean,
): Promise<Result> {
  const display = isQuiet ? null : layerDisplay()
  return interruptible(async (signal) => {
    try {
      return await door.work<Line[], Result>('POST', path, {
        body,
        signal,
        onProgress: (layers) => display?.show(layers),
      })
    } finally {
      display?.close()
    }
  })
}

async function removeImages(names: string[], options: EngineOptions & { force?: boolean }): Promise<void> {
  const door = openDoor(options)
  await forEach(names, async (name) => {
    const query = { name, force: options.force }
    const { untagged, deleted } = await door.ask<RemovedRow>('DELETE', '/images', { query })
    const lines = untagged.map((reference) => `Untagged: ${reference}`)
    return [...lines, ...(deleted === null ? [] : [`Deleted: ${deleted}`])].join('\n')
  })
}
