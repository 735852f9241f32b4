import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../cli/processes.ts'
import { debianRoot } from './debian.ts'
import { type BenchImage, tarOf } from './image.ts'

// Of what this checkout has installed, about what a Next.js app brings with it.
const packages = [
  ['effect', 'lucide-react', 'typescript', '@img'],
  ['next', 'react', 'react-dom'],
  ['prisma', '@prisma'],
]

/** What a team deploys: Debian, Node, three layers of packages, the app. */
export const nodeImage: BenchImage = {
  name: 'node',
  what: 'a Node image (6 layers, about 200 MB compressed)',
  version: 1,
  async makeLayers(folder, context) {
    const { signal } = context
    const modules = join(root, 'node_modules')
    const layers = [await debianRoot(folder, context)]
    layers.push(
      await tarOf(join(modules, 'node/bin'), ['node'], join(folder, 'node.tar'), signal, 'usr/local/bin'),
    )
    for (const [index, names] of packages.entries()) {
      const here = names.filter((name) => existsSync(join(modules, name)))
      const path = join(folder, `packages-${index}.tar`)
      layers.push(await tarOf(modules, here, path, signal, 'app/node_modules'))
    }
    layers.push(await tarOf(root, ['app', 'engine', 'platform'], join(folder, 'app.tar'), signal, 'app'))
    return layers
  },
}
