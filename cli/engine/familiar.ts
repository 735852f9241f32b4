/** Containers and images under the names that Docker gives their fields, for `inspect --format`. */
import { Familiar } from './template-values.ts'

/** What `inspect` says of a container, as far as is used here. */
export interface InspectedContainer {
  id: string
  name: string
  image: string
  status: string
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  pid: number | null
  exitCode: number | null
  oomKilled: boolean
  restarts: number
  health: { status: string } | null
  network: string
  address: string
  labels: Record<string, string>
  logFile: string
}

export function familiarContainer(container: InspectedContainer): Familiar {
  const { id, name, image, status, createdAt, startedAt, finishedAt, pid, exitCode } = container
  const { oomKilled, restarts, health, network, address, labels, logFile } = container
  return new Familiar(container, {
    ...{ Id: id, Name: `/${name}`, Image: image, Created: createdAt, RestartCount: restarts },
    LogPath: logFile,
    State: {
      ...{ Status: status, Running: status === 'running', Paused: status === 'paused' },
      ...{ OOMKilled: oomKilled, Pid: pid ?? 0, ExitCode: exitCode ?? 0 },
      ...{ StartedAt: startedAt ?? '', FinishedAt: finishedAt ?? '' },
      ...(health === null ? {} : { Health: { Status: health.status } }),
    },
    Config: { Labels: labels, Image: image },
    NetworkSettings: { IPAddress: address, Networks: { [network]: { IPAddress: address } } },
  })
}

/** What `inspect` says of an image, as far as is used here. */
export interface InspectedImage {
  digest: string
  references: string[]
  sizeBytes: number
  createdAt: string | null
}

/** @param config the image's configuration as it came: Docker's fields are those of that document */
export function familiarImage(image: InspectedImage, config: Record<string, unknown>): Familiar {
  const { digest, references, sizeBytes, createdAt } = image
  const tags = references.filter((name) => !name.includes('@'))
  const repositories = new Set(references.map((name) => name.replace(/@.*$/, '').replace(/:[^/:]*$/, '')))
  const { rootfs } = config as { rootfs?: { type?: string; diff_ids?: string[] } }
  return new Familiar(image, {
    ...{ Id: digest, RepoTags: tags, RepoDigests: [...repositories].map((name) => `${name}@${digest}`) },
    ...{ Created: createdAt ?? '', Size: sizeBytes, Author: config.author ?? '' },
    ...{ Architecture: config.architecture, Variant: config.variant ?? '', Os: config.os },
    Config: { ...emptyConfig, ...(config.config as object | undefined) },
    RootFS: { Type: rootfs?.type, Layers: rootfs?.diff_ids ?? [] },
  })
}

/** An image that says nothing of these has them empty. */
const emptyConfig = {
  ...{ User: '', ExposedPorts: null, Env: [], Entrypoint: null, Cmd: null, Volumes: null },
  ...{ WorkingDir: '', Labels: null, StopSignal: '', Healthcheck: null },
}
