import type { Image } from '../images/images.ts'
import type { CommitOptions, Container } from './containers.ts'
import type { Core } from './core.ts'
import { hasProcess } from './status.ts'

/**
 * Makes an image of a container's image and of what it changed. It is held still meanwhile, so that no file is seen
 * half written.
 */
export async function commitContainer(
  { images, snapshots, rowOf }: Core,
  life: { pause(id: string): Promise<Container>; resume(id: string): Promise<Container> },
  idOrName: string,
  { pause = true, ...options }: CommitOptions,
): Promise<Image> {
  const { id, spec, status } = rowOf(idOrName)
  const mustPause = pause && hasProcess(status) && status !== 'paused'
  if (mustPause) await life.pause(id)
  try {
    const command = spec.command ? { entrypoint: [], command: spec.command } : {}
    return await images.create(spec.image, {
      createdBy: (spec.command ?? []).join(' '),
      ...options,
      config: { ...command, ...options.config },
      layer: await snapshots.changes(id, spec.idRange, options.signal),
    })
  } finally {
    if (mustPause) await life.resume(id)
  }
}
