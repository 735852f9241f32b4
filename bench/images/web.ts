import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchImage, tarOf } from './image.ts'

/** busybox with its web server: an app that answers as soon as it runs. */
export const webImage: BenchImage = {
  name: 'web',
  what: 'busybox with its web server',
  version: 1,
  async makeLayers(folder, { signal }) {
    const root = join(folder, 'web')
    for (const each of ['bin', 'etc', 'tmp', 'root', 'www']) mkdirSync(join(root, each), { recursive: true })
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
    for (const name of ['sh', 'echo', 'httpd']) symlinkSync('busybox', join(root, 'bin', name))
    return [await tarOf(root, ['bin', 'etc', 'tmp', 'root', 'www'], join(folder, 'web.tar'), signal)]
  },
}

/** Serves what VERSION says on port 8080. */
export const webCommand = [
  '/bin/sh',
  '-c',
  'trap "exit 0" TERM; echo "version $VERSION" > /www/index.html; httpd -f -p 8080 -h /www & wait',
]
