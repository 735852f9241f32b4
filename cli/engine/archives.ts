import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import type {
  ImageChanges,
  ImageRow,
  ImportRequest,
  LayerLine,
  SaveRequest,
} from '../../platform/model/engine-door.ts'
import { CommandError, say } from '../say.ts'
import { type Door, openDoor } from './door.ts'
import { change } from './image-changes.ts'
import { layerDisplay } from './layer-display.ts'
import { command, type EngineOptions, interruptible, printJson } from './options.ts'
import { credentialsOf, type RegistryOptions, withRegistryOptions } from './registry-options.ts'

export function addArchiveCommands(engine: Command): void {
  withRegistryOptions(command(engine, 'save', 'write images to an archive that docker load and others read'))
    .argument('<image...>', 'names or digests')
    .option('-o, --output <file>', 'default: standard output')
    .addOption(
      new Option('--format <format>', 'how it is laid out').choices(['docker', 'oci']).default('docker'),
    )
    .action(save)
  command(engine, 'load', 'load the images of an archive (docker save, OCI layout; plain, gzip or zstd)')
    .option('-i, --input <file>', 'default: standard input')
    .option('-q, --quiet', 'no progress')
    .action(load)
  command(engine, 'import', 'make an image of the tar of a root file system')
    .argument('<file>', 'the tar, or - for standard input')
    .argument('[name]', 'such as debian:mine')
    .option(
      '-c, --change <instruction>',
      `such as 'CMD ["sh"]' or 'ENV NAME=value'; may be given again`,
      change,
    )
    .option('-m, --message <text>', 'what it is')
    .action(importImage)
}

async function save(
  names: string[],
  options: RegistryOptions & { output?: string; format: 'docker' | 'oci' },
): Promise<void> {
  const { output, format } = options
  if (output === undefined && process.stdout.isTTY)
    throw new CommandError('An archive is nothing for a terminal: give -o FILE, or redirect it.')
  await interruptible(async (signal) => {
    const body: SaveRequest = { images: names, format, credentials: await credentialsOf(options) }
    const archive = await openDoor(options).download('POST', '/images/save', { body, signal })
    if (output === undefined) return pipeline(archive, process.stdout, { end: false })
    const isNew = !existsSync(output)
    try {
      await pipeline(archive, createWriteStream(output))
    } catch (error) {
      // Half an archive looks like one.
      if (isNew) await rm(output, { force: true })
      throw new CommandError(`The archive could not be written: ${(error as Error).message}`, {
        cause: error,
      })
    }
  })
}

async function load(options: EngineOptions & { input?: string; quiet?: boolean }): Promise<void> {
  const upload = source(options.input)
  const display = options.quiet || options.json ? null : layerDisplay()
  const onProgress = (layers: LayerLine[]) => display?.show(layers)
  const images = await sent<ImageRow[]>(openDoor(options), '/images/load', upload, {}, onProgress)
  display?.close()
  if (options.json) return printJson(images)
  for (const { references, digest } of images)
    say(`Loaded image: ${references.length === 0 ? digest : references.join(', ')}`)
}

async function importImage(
  file: string,
  reference: string | undefined,
  options: EngineOptions & { change?: ImageChanges; message?: string },
): Promise<void> {
  const upload = source(file === '-' ? undefined : file)
  const asked: ImportRequest = { reference, comment: options.message, config: options.change }
  const query = { request: JSON.stringify(asked) }
  const image = await sent<ImageRow>(openDoor(options), '/images/import', upload, query)
  if (options.json) return printJson(image)
  say(image.digest)
}

function source(file: string | undefined): Readable {
  if (file !== undefined) {
    if (!existsSync(file)) throw new CommandError(`There is no file ${file}.`)
    return createReadStream(file)
  }
  if (process.stdin.isTTY)
    throw new CommandError('Give the archive with -i FILE, or send it to standard input.')
  return process.stdin
}

function sent<Result>(
  door: Door,
  path: string,
  upload: Readable,
  query: Record<string, string | undefined>,
  onProgress?: (layers: LayerLine[]) => void,
): Promise<Result> {
  return interruptible((signal) =>
    door.work<LayerLine[], Result>('POST', path, { upload, query, signal, onProgress }),
  )
}
