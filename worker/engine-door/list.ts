/** Containers as the operator sees them in a list. */
import {
  type Container,
  type ContainerDetails,
  type Engine,
  type Image,
  isEngineError,
} from '../../engine/index.ts'
import type { ContainerRow, ListedRow } from '../../platform/model/engine-door.ts'

export async function listed({ containers, images }: Engine): Promise<ListedRow[]> {
  const rows = (await containers.list()).map(async ({ id }) => {
    const container = await containers.inspect(id).catch(orGone)
    if (container === null) return null
    const image = await images.inspect(container.image).catch(orGone)
    return listedRow(container, image)
  })
  return (await Promise.all(rows)).flatMap((found) => found ?? [])
}

function listedRow(container: ContainerDetails, image: Image | null): ListedRow {
  const { spec } = container
  const volumes = (spec.mounts ?? []).flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
  return { ...row(container), command: commandOf(spec, image), ports: spec.ports ?? [], volumes }
}

/** As the engine puts it together when the container starts. */
function commandOf(spec: ContainerDetails['spec'], image: Image | null): string[] {
  const { entrypoint = [], command = [] } = image?.config ?? {}
  if (spec.entrypoint) return [...spec.entrypoint, ...(spec.command ?? spec.arguments ?? [])]
  return spec.command ?? [...entrypoint, ...(spec.arguments ?? command)]
}

/** Null for what was removed at this moment. */
function orGone(error: unknown): null {
  if (isEngineError(error, 'not-found')) return null
  throw error
}

export function row(container: Container): ContainerRow {
  const { id, name, image, status, labels, network, address, exitCode, oomKilled } = container
  const { restarts, health, createdAt, startedAt, finishedAt } = container
  return {
    ...{ id, name, image, status, labels, network, address, exitCode, oomKilled },
    ...{ restarts, health, createdAt, startedAt, finishedAt },
  }
}
