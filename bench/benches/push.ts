/** Push to a local registry that has nothing of the image. */
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { debianImage } from '../images/debian.ts'
import { type BenchImage, type PushedImage, provide } from '../images/image.ts'
import { largeLayerImage } from '../images/large-layer.ts'
import { nodeImage } from '../images/node.ts'
import { smallFilesImage } from '../images/small-files.ts'
import { type BerthEngine, openBerth } from '../parts/berth.ts'
import { clear } from '../parts/cold.ts'
import { onOwnDisk } from '../parts/disk.ts'
import { type Docker, startDocker } from '../parts/docker.ts'
import { growthRow } from '../parts/growth.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { openPodman, type Podman } from '../parts/podman.ts'
import { type BenchRegistry, startRegistry } from '../parts/registry.ts'
import { makeRow, type Row } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const budget = { atLeast: { docker: 2, podman: 1.5 } }

export function pushBench(images: BenchImage[], large: BenchImage): Bench {
  return {
    description: 'push images to an empty registry: Berth, Docker, podman; skopeo from a folder',
    packages: [...imagePackages, ...peerPackages],
    async run(given) {
      const context = await onOwnDisk(given)
      const from = await startRegistry(context, 'source')
      const to = await startRegistry(context, 'target')
      const [docker, podman] = [await startDocker(context), await openPodman(context)]
      const engine = await openBerth(context, from, to)
      const rows: Row[] = []
      for (const each of images) {
        const image = await provide(each, from, context)
        const target = image.reference.replace(from.host, to.host)
        const { berth, ...peers } = await takeTurns(context, [
          await berthPush(engine, image, target, to, context),
          await dockerPush(docker, image, target, to, context),
          await podmanPush(podman, image, target, to, context),
          skopeoPush(image, target, to, context),
        ])
        rows.push(makeRow({ what: `push ${image.what}`, unit: 's', berth: berth ?? [], peers, budget }))
      }
      const image = await provide(large, from, context)
      return [...rows, await memory(context, image, from, to)]
    },
  }
}

export const bench = pushBench([debianImage, nodeImage, smallFilesImage()], largeLayerImage())

async function berthPush(
  engine: BerthEngine,
  { reference }: PushedImage,
  target: string,
  to: BenchRegistry,
  { signal }: BenchContext,
): Promise<Contestant> {
  await engine.call({ pull: reference })
  return {
    name: 'berth',
    prepare: () => forget(to, signal),
    work: () => engine.call({ push: reference, as: target }),
    finish: async () => {},
  }
}

/** Docker keeps no compressed layers: what it pushes it compresses anew. */
async function dockerPush(
  docker: Docker | string,
  { reference }: PushedImage,
  target: string,
  to: BenchRegistry,
  { signal }: BenchContext,
): Promise<Contestant> {
  const name = 'docker'
  if (typeof docker === 'string') return { name, absent: docker }
  await docker.docker('pull', '--quiet', reference)
  await docker.docker('tag', reference, target)
  return {
    name,
    prepare: () => forget(to, signal),
    work: () => docker.docker('push', '--quiet', target),
    finish: async () => {},
  }
}

async function podmanPush(
  podman: Podman | string,
  { reference }: PushedImage,
  target: string,
  to: BenchRegistry,
  { signal }: BenchContext,
): Promise<Contestant> {
  const name = 'podman'
  if (typeof podman === 'string') return { name, absent: podman }
  await podman.podman('pull', '--quiet', '--tls-verify=false', reference)
  return {
    name,
    prepare: () => forget(to, signal),
    work: () => podman.podman('push', '--quiet', '--tls-verify=false', reference, target),
    finish: async () => {},
  }
}

function skopeoPush(
  image: PushedImage,
  target: string,
  to: BenchRegistry,
  context: BenchContext,
): Contestant {
  const { signal } = context
  const flags = ['--insecure-policy', '--dest-tls-verify=false']
  return {
    name: 'skopeo, copy alone',
    prepare: () => forget(to, signal),
    work: () => run(['skopeo', 'copy', ...flags, `oci:${image.layout}:1`, `docker://${target}`], { signal }),
    finish: async () => {},
  }
}

/** An engine of its own, whose memory is not what earlier pushes left it. */
async function memory(
  context: BenchContext,
  { what, reference }: PushedImage,
  from: BenchRegistry,
  to: BenchRegistry,
): Promise<Row> {
  const engine = await openBerth(context, from, to)
  await engine.call({ pull: reference })
  await forget(to, context.signal)
  const as = reference.replace(from.host, to.host)
  const grownBy = await engine.growth(() => engine.call({ push: reference, as }))
  await engine.close()
  return growthRow(`pushes ${what}`, grownBy)
}

/** Empties a registry; it keeps nothing in memory. */
async function forget({ folder }: BenchRegistry, signal: AbortSignal): Promise<void> {
  await clear(join(folder, 'docker'), signal)
}
