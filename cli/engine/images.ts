import type { Command } from 'commander'
import type {
  HistoryRow,
  ImageRow,
  PullRequest,
  PushedRow,
  PushRequest,
  RemovedRow,
} from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { type Door, openDoor } from './door.ts'
import { addImageList } from './image-list.ts'
import { type Line, layerDisplay } from './layer-display.ts'
import { command, type EngineOptions, forEach, interruptible, printJson } from './options.ts'
import { credentialsOf, type RegistryOptions, withRegistryOptions } from './registry-options.ts'
import { ago, bytes, short, table } from './table.ts'

export function addImageCommands(engine: Command): void {
  addImageList(engine)
  withRegistryOptions(command(engine, 'pull', 'pull an image from its registry'))
    .argument('<reference>', 'such as nginx, ghcr.io/acme/shop:2 or localhost:7080/main/welcome@sha256:…')
    .option('--platform <platform>', "such as linux/arm64; default: this host's")
    .option('-q, --quiet', 'no progress')
    .action(pull)
  withRegistryOptions(command(engine, 'push', 'push an image to a registry'))
    .argument('<image>', 'its name there; or its name or digest here, and the name there behind it')
    .argument('[name]', 'its name there')
    .option('-q, --quiet', 'no progress')
    .action(push)
  command(engine, 'rmi', 'remove images that no container uses')
    .argument('<image...>', 'names, digests, or the first digits of a digest')
    .option('-f, --force', 'a digest with all of its names')
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
    .action(history)
}

async function history(
  name: string,
  options: EngineOptions & { quiet?: boolean; trunc: boolean },
): Promise<void> {
  const steps = await openDoor(options).ask<HistoryRow[]>('GET', '/images/history', { query: { name } })
  if (options.json) return printJson(steps)
  const layerOf = ({ layer }: HistoryRow) =>
    layer === null ? '<none>' : options.trunc ? short(layer.diffId) : layer.diffId
  if (options.quiet) {
    for (const step of steps) say(layerOf(step))
    return
  }
  const lines = steps.map((step) => {
    const { createdAt, createdBy, comment, layer } = step
    const by = createdBy.replace(/\s+/g, ' ')
    const made = options.trunc && by.length > 60 ? `${by.slice(0, 59)}…` : by
    return [layerOf(step), ago(createdAt), made, bytes(layer?.sizeBytes ?? 0), comment]
  })
  say(table(['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], lines))
}

async function pull(
  reference: string,
  options: RegistryOptions & { quiet?: boolean; platform?: string },
): Promise<void> {
  const { platform } = options
  const body: PullRequest = { reference, platform, credentials: await credentialsOf(options) }
  const image = await withLayers(
    openDoor(options),
    '/images/pull',
    body,
    options.quiet === true || options.json === true,
  )
  if (options.json) return printJson(image)
  say(image.digest)
}

async function push(
  image: string,
  to: string | undefined,
  options: RegistryOptions & { quiet?: boolean },
): Promise<void> {
  const body: PushRequest = { image, to, credentials: await credentialsOf(options) }
  const quiet = options.quiet === true || options.json === true
  const pushed = await withLayers<PushedRow>(openDoor(options), '/images/push', body, quiet)
  if (options.json) return printJson(pushed)
  say(`${pushed.reference}: ${pushed.digest}`)
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
