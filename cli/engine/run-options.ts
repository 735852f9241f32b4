/** Flags of `run` that hold several things, as Docker writes them. */
import { existsSync, readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import type { RunRequest } from '../../platform/model/engine-door.ts'
import { CommandError } from '../say.ts'
import { pair, sizeInBytes, variable } from './options.ts'

export type Mount = NonNullable<RunRequest['mounts']>[number]
export type Port = NonNullable<RunRequest['ports']>[number]

const usualTmpfsBytes = 64 * 2 ** 20

/** data:/var/lib/data or data:/var/lib/data:ro. */
export function volumeMount(text: string, all: Mount[] = []): Mount[] {
  const [volume = '', target = '', mode = 'rw', ...rest] = text.split(':')
  if (volume.startsWith('/') || volume.startsWith('.'))
    throw new InvalidArgumentError('Folders of the host are not mounted: name a volume.')
  if (volume === '' || !target.startsWith('/') || !['ro', 'rw'].includes(mode) || rest.length > 0)
    throw new InvalidArgumentError('It must be NAME:/PATH or NAME:/PATH:ro.')
  return [...all, { kind: 'volume', volume, target, readOnly: mode === 'ro' }]
}

/** type=volume,source=data,target=/var/lib/data,readonly or type=tmpfs,target=/tmp,tmpfs-size=64m. */
export function mount(text: string, all: Mount[] = []): Mount[] {
  const fields = new Map(
    text.split(',').map((part): [string, string] => {
      const [name = '', ...value] = part.split('=')
      return [mountFields[name.toLowerCase()] ?? name, value.join('=')]
    }),
  )
  const { type = 'volume', source = '', target = '', size, ...more } = Object.fromEntries(fields)
  const isReadOnly = fields.has('readonly') && more.readonly !== 'false' && more.readonly !== '0'
  if (type === 'bind') throw new InvalidArgumentError('Folders of the host are not mounted: name a volume.')
  const unknown = Object.keys(more).find((name) => name !== 'readonly')
  if (unknown !== undefined || !target.startsWith('/') || (type !== 'tmpfs' && type !== 'volume'))
    throw new InvalidArgumentError(
      `It must be type=volume,source=NAME,target=/PATH[,readonly] or type=tmpfs,target=/PATH[,tmpfs-size=64m]${unknown === undefined ? '' : `; there is no ${unknown}`}.`,
    )
  if (type === 'tmpfs')
    return [
      ...all,
      { kind: 'tmpfs', target, sizeBytes: size === undefined ? usualTmpfsBytes : sizeInBytes(size) },
    ]
  if (source === '') throw new InvalidArgumentError('It must name a volume: source=NAME.')
  return [...all, { kind: 'volume', volume: source, target, readOnly: isReadOnly }]
}

/** What Docker calls each, as we do. */
const mountFields: Record<string, string> = {
  ...{ src: 'source', dst: 'target', destination: 'target', ro: 'readonly', 'tmpfs-size': 'size' },
}

/** /tmp or /tmp:size=64m. */
export function tmpfsMount(text: string, all: Mount[] = []): Mount[] {
  const match = /^(\/[^:]*)(?::size=(\S+))?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be /PATH or /PATH:size=64m.')
  const sizeBytes = match[2] === undefined ? usualTmpfsBytes : sizeInBytes(match[2])
  return [...all, { kind: 'tmpfs', target: match[1] ?? '', sizeBytes }]
}

/** 8080:80, 127.0.0.1:8080:80, 53:53/udp. */
export function port(text: string, all: Port[] = []): Port[] {
  const match = /^(?:([\d.]+):)?(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text)
  if (match === null)
    throw new InvalidArgumentError('It must be HOST_PORT:CONTAINER_PORT, such as 8080:80 or 53:53/udp.')
  const [, hostAddress = '0.0.0.0', hostPort, containerPort, protocol = 'tcp'] = match
  return [
    ...all,
    {
      hostAddress,
      hostPort: Number(hostPort),
      containerPort: Number(containerPort),
      protocol: protocol === 'udp' ? 'udp' : 'tcp',
    },
  ]
}

const ulimits = {
  nofile: 'openFiles',
  nproc: 'processes',
  core: 'coreBytes',
  fsize: 'fileBytes',
  stack: 'stackBytes',
  memlock: 'lockedBytes',
} as const
export type Ulimits = NonNullable<RunRequest['ulimits']>

/** nofile=1024 or nofile=1024:4096; there is one limit here, and it is the higher one. */
export function ulimit(text: string, all: Ulimits = {}): Ulimits {
  const match = /^(\w+)=(\d+)(?::(\d+))?$/.exec(text)
  const name = ulimits[match?.[1] as keyof typeof ulimits]
  if (match === null || name === undefined)
    throw new InvalidArgumentError(`It must be NAME=N, with one of ${Object.keys(ulimits).join(', ')}.`)
  return { ...all, [name]: Number(match[3] ?? match[2]) }
}

/** Its network. Throws for those that Docker has and that are not to be had here under these names. */
export function networkName(text: string): string {
  if (text === 'bridge' || text === 'default') return 'operator'
  if (text === 'host') throw new InvalidArgumentError('The host’s own network is not for containers.')
  if (text === 'none')
    throw new InvalidArgumentError(
      'Make one that leads nowhere, and name that: berth engine network create --internal NAME.',
    )
  if (text.startsWith('container:'))
    throw new InvalidArgumentError('A container has a network of its own, and no other container’s.')
  return text
}

export type LogOption = NonNullable<RunRequest['log']>

/** max-size=10m, max-file=5. */
export function logOption(text: string, all: LogOption = {}): LogOption {
  const [name, value = ''] = text.split('=')
  if (name === 'max-size') return { ...all, maxBytes: sizeInBytes(value) }
  if (name === 'max-file' && /^\d+$/.test(value)) return { ...all, files: Number(value) }
  throw new InvalidArgumentError('It must be max-size=SIZE or max-file=N.')
}

export type Restart = Pick<RunRequest, 'restart' | 'maxRestarts'>

/** A stop is remembered, so that `unless-stopped` is what `always` means here. */
export function restartPolicy(text: string): Restart {
  const match = /^on-failure:(\d+)$/.exec(text)
  if (match) return { restart: 'on-failure', maxRestarts: Number(match[1]) }
  if (text === 'unless-stopped') return { restart: 'always' }
  if (text === 'no' || text === 'on-failure' || text === 'always') return { restart: text }
  throw new InvalidArgumentError('It must be no, on-failure, on-failure:N, unless-stopped or always.')
}

/** Lines of NAME=VALUE, or NAME for the value that this command was started with; # begins a comment. */
export function variablesOf(file: string): Record<string, string> {
  return linesOf(file).reduce<Record<string, string>>((all, line) => variable(line, all), {})
}

/** Lines of NAME=VALUE, or NAME for an empty value; # begins a comment. */
export function labelsOf(file: string): Record<string, string> {
  return linesOf(file).reduce<Record<string, string>>((all, line) => pair(line, all), {})
}

function linesOf(file: string): string[] {
  if (!existsSync(file)) throw new CommandError(`There is no file ${file}.`)
  const lines = readFileSync(file, 'utf8').split(/\r?\n/)
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
