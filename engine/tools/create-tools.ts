import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { ensureHostImage } from '../builder/host-image.ts'
import type { Containers } from '../containers/containers.ts'
import { EngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import type { Spawner } from '../sys/spawner.ts'
import type { Tools } from './tools.ts'

interface ToolsParts {
  containers: Containers
  images: Images
  spawner: Spawner
}

/** What is ours to sweep. */
const label = 'engine.tools'
/** Most of busybox's own names are none that anybody types; these would only say that they may not. */
const useless = new Set(['init', 'linuxrc', 'halt', 'poweroff', 'reboot', 'busybox'])
const missing = 'The tools need a static busybox: apt-get install busybox-static'

export async function createTools({ containers, images, spawner }: ToolsParts): Promise<Tools> {
  // Whoever used them has ended with the engine that started them.
  for (const { id } of await containers.list({ labels: { [label]: '' } }))
    await containers.remove(id, { force: true })

  async function ensureImage(): Promise<string> {
    const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
    if (busybox === undefined) throw new EngineError('unsupported', missing)
    const names = (await spawner.mustRun([busybox, '--list'])).split('\n')
    return ensureHostImage(images, spawner, {
      ...{
        name: 'tools.internal/tools',
        programs: [],
        copies: [],
        folders: [],
        links: {},
        files: {},
        missing,
      },
      applets: names.filter((name) => /^[\w.[-]+$/.test(name) && !useless.has(name)).join(' '),
    })
  }

  return {
    async beside(idOrName, { limits, signal }) {
      const other = await containers.inspect(idOrName)
      const image = await ensureImage()
      const id = `tools-${randomBytes(8).toString('hex')}`
      await containers.create(
        {
          ...{ id, image, limits, network: other.spec.network, idRange: other.spec.idRange },
          ...{ joins: other.id, labels: { [label]: '' }, hostname: 'tools' },
          ...{ command: ['sleep', '2147483647'], workingDir: '/', healthCheck: 'none' },
          // Where anybody may write.
          environment: { HOME: '/tmp' },
        },
        signal === undefined ? {} : { signal },
      )
      try {
        return await containers.start(id, signal === undefined ? {} : { signal })
      } catch (error) {
        await containers.remove(id, { force: true })
        throw error
      }
    },
  }
}
