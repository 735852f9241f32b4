/** Flags of `run` that hold several things, as Docker writes them. */
import { InvalidArgumentError } from 'commander'
import type { RunRequest } from '../../platform/model/engine-door.ts'
import { sizeInBytes } from './options.ts'

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
