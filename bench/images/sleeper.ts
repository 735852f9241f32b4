import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchImage, tarOf } from './image.ts'

/** busybox that sleeps: as little as a container can be. */
export const sleeperImage: BenchImage = {
  name: 'sleeper',
  what: 'busybox that sleeps',
  version: 2,
  async makeLayers(folder, { signal }) {
    const root = join(folder, 'sleeper')
    for (const each of ['bin', 'etc', 'tmp', 'root']) mkdirSync(join(root, each), { recursive: true })
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
    for (const name of ['sh', 'sleep', 'true']) symlinkSync('busybox', join(root, 'bin', name))
    return [await tarOf(root, ['bin', 'etc', 'tmp', 'root'], join(folder, 'sleeper.tar'), signal)]
  },
}
