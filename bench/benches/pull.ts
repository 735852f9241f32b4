/** Pull and unpack from one local registry, cold each time. */
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { debianImage } from '../images/debian.ts'
import { type BenchImage, type PushedImage, provide } from '../images/image.ts'
import { largeLayerImage } from '../images/large-layer.ts'
import { nodeImage } from '../images/node.ts'
import { smallFilesImage } from '../images/small-files.ts'
import { type BerthEngine, openBerth } from '../parts/berth.ts'
import { clear, settle } from '../parts/cold.ts'
import { onOwnDisk } from '../parts/disk.ts'
import { type Docker, startDocker } from '../parts/docker.ts'
import { fastestGunzip, unpackWithTools } from '../parts/floor.ts'
import { growthRow } from '../parts/growth.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { openPodman, type Podman } from '../parts/podman.ts'
import { type BenchRegistry, startRegistry } from '../parts/registry.ts'
import { makeRow, type Row } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

const budget = { atLeast: { docker: 2, podman: 1.5 } }

export function pullBench(images: BenchImage[], large: BenchImage): Bench {
  return {
    description: 'pull and unpack images: Berth, Docker, podman; skopeo for the copy alone; the floor',
    packages: [...imagePackages, ...peerPackages],
    async run(given) {
      const context = await onOwnDisk(given)
      const registry = await startRegistry(context)
      const [docker, podman] = [await startDocker(context), await openPodman(context)]
      const engine = await openBerth(context, registry)
      const rows: Row[] = []
      for (const each of images) {
        const image = await provide(each, registry, context)
        const all = [
          berth(engine, image, context),
          dockerPull(docker, image, context),
          podmanPull(podman, image, context),
          skopeoCopy(image, context),
          floor(image, context),
        ]
        const { berth: ours = [], ...peers } = await takeTurns(context, all)
        rows.push(makeRow({ what: `pull ${image.what}`, unit: 's', berth: ours, peers, budget }))
      }
      const image = await provide(large, registry, context)
      return [...rows, await memory(context, registry, image)]
    },
  }
}

export const bench = pullBench([debianImage, nodeImage, smallFilesImage()], largeLayerImage())

/** One engine for all runs, as there is one Docker daemon. */
function berth(
  engine: BerthEngine,
  { reference }: PushedImage,
  { folder, signal }: BenchContext,
): Contestant {
  const clean = async () => {
    await engine.forgetImages()
    await settle(folder, signal)
  }
  return { name: 'berth', prepare: clean, work: () => engine.call({ pull: reference }), finish: clean }
}

function dockerPull(
  docker: Docker | string,
  { reference }: PushedImage,
  { folder, signal }: BenchContext,
): Contestant {
  const name = 'docker'
  if (typeof docker === 'string') return { name, absent: docker }
  const clean = async () => {
    const ids = (await docker.docker('image', 'ls', '--quiet')).split('\n').filter((id) => id !== '')
    if (ids.length > 0) await docker.docker('image', 'rm', '--force', ...ids)
    await settle(folder, signal)
  }
  return { name, prepare: clean, work: () => docker.docker('pull', '--quiet', reference), finish: clean }
}

function podmanPull(
  podman: Podman | string,
  { reference }: PushedImage,
  { folder, signal }: BenchContext,
): Contestant {
  const name = 'podman'
  if (typeof podman === 'string') return { name, absent: podman }
  const clean = async () => {
    await podman.podman('rmi', '--all', '--force')
    await settle(folder, signal)
  }
  const work = () => podman.podman('pull', '--quiet', '--tls-verify=false', reference)
  return { name, prepare: clean, work, finish: clean }
}

function skopeoCopy({ reference }: PushedImage, { folder, signal }: BenchContext): Contestant {
  const target = join(folder, 'skopeo')
  const flags = ['--insecure-policy', '--src-tls-verify=false']
  return {
    name: 'skopeo, copy alone',
    prepare: () => clear(target, signal),
    work: () => run(['skopeo', 'copy', ...flags, `docker://${reference}`, `dir:${target}`], { signal }),
    finish: () => clear(target, signal),
  }
}

function floor({ blobs }: PushedImage, { folder, signal }: BenchContext): Contestant {
  const target = join(folder, 'floor')
  return {
    name: `floor (${fastestGunzip()} -dc | tar x, sync)`,
    prepare: () => clear(target, signal),
    work: () => unpackWithTools(blobs, target, signal),
    finish: () => clear(target, signal),
  }
}

/** An engine of its own, whose memory is not what earlier pulls left it. */
async function memory(context: BenchContext, registry: BenchRegistry, image: PushedImage): Promise<Row> {
  const engine = await openBerth(context, registry)
  const grownBy = await engine.growth(() => engine.call({ pull: image.reference }))
  await engine.close()
  return growthRow(`pulls ${image.what}`, grownBy)
}
