/** Push and pull through Berth's edge, with tokens, beside the bare registry: what Berth's part costs. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { type BenchImage, provide } from '../images/image.ts'
import { largeLayerImage } from '../images/large-layer.ts'
import { nodeImage } from '../images/node.ts'
import { smallFilesImage } from '../images/small-files.ts'
import { clear, settle } from '../parts/cold.ts'
import { onOwnDisk } from '../parts/disk.ts'
import { type BerthRegistry, startInstallation } from '../parts/installation.ts'
import { imagePackages } from '../parts/packages.ts'
import { startRegistry } from '../parts/registry.ts'
import { makeRow, type Row } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const bare = 'the bare registry'
const budget = { atLeast: { [bare]: 0.9 } }

interface Place {
  name: string
  /** What repositories are called there begins with it. */
  prefix: string
  /** The registry's files. */
  folder: string
  /** NAME:SECRET */
  credentials: string | null
}

export function registryBench(
  images: BenchImage[],
  open: (context: BenchContext) => Promise<BerthRegistry> = startInstallation,
): Bench {
  return {
    description: 'push and pull through the edge, with tokens, beside the bare registry',
    packages: imagePackages,
    async run(given) {
      const context = await onOwnDisk(given)
      const source = await startRegistry(context, 'source')
      const target = await startRegistry(context, 'target')
      const { host, team, folder, credentials } = await open(context)
      const places: Place[] = [
        { name: 'berth', prefix: `${host}/${team}`, folder, credentials },
        { name: bare, prefix: `${target.host}/${team}`, folder: target.folder, credentials: null },
      ]
      const rows: Row[] = []
      for (const image of images) {
        const { what, layout } = await provide(image, source, context)
        const pushed = await takeTurns(
          context,
          places.map((place) => push(context, place, image.name, layout)),
        )
        rows.push(row(`push ${what}`, pushed))
        const pulled = await takeTurns(
          context,
          places.map((place) => pull(context, place, image.name)),
        )
        rows.push(row(`pull ${what}`, pulled))
      }
      return rows
    },
  }
}

export const bench = registryBench([largeLayerImage(), nodeImage, smallFilesImage()])

function row(what: string, { berth = [], ...peers }: Record<string, number[] | string>): Row {
  return makeRow({ what, unit: 's', berth, peers, budget })
}

/** To a registry that has nothing of it. */
function push(context: BenchContext, place: Place, image: string, layout: string): Contestant {
  return {
    name: place.name,
    prepare: () => clear(join(place.folder, 'docker'), context.signal),
    work: () => copy(context, place, 'dest', `oci:${layout}:1`, `docker://${place.prefix}/${image}:1`),
    finish: async () => {},
  }
}

/** With no unpacking: the registry's part alone, from memory. */
function pull(context: BenchContext, place: Place, image: string): Contestant {
  const into = join(context.folder, 'pulled')
  return {
    name: place.name,
    prepare: () => settle(context.folder, context.signal),
    work: () => copy(context, place, 'src', `docker://${place.prefix}/${image}:1`, `dir:${into}`),
    finish: async () => rmSync(into, { recursive: true, force: true }),
  }
}

async function copy(
  { signal }: BenchContext,
  { credentials }: Place,
  side: 'src' | 'dest',
  from: string,
  to: string,
): Promise<void> {
  const login = credentials === null ? [] : [`--${side}-creds`, credentials]
  const flags = ['--insecure-policy', `--${side}-tls-verify=false`, ...login]
  await run(['skopeo', 'copy', ...flags, from, to], { signal })
}
