/** A whole image as teams have it, a Debian root and all that stands on it for Node, unpacked by Berth and by umoci. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bothUnpack } from '../../support/both-unpack.ts'
import { makeDebianRoot } from '../../support/debian-root.ts'
import { type LayerImages, openLayerImages } from '../../support/layer-images.ts'
import { makeLayer } from '../../support/layers.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-whole-'))
const modules = join(import.meta.dirname, '../../../node_modules')
let made: LayerImages
let debian: Buffer
beforeAll(async () => {
  const path = join(folder, 'debian.tar')
  ;[made] = await Promise.all([openLayerImages(), makeDebianRoot(path)])
  debian = readFileSync(path)
  // Packages come from a mirror.
}, 300_000)
afterAll(async () => {
  await made?.close()
  rmSync(folder, { recursive: true, force: true })
})

const tar = (from: string, to: string, ...names: string[]) =>
  execFileSync('tar', ['-C', from, '-c', '--format=posix', `--transform=s,^,${to}/,`, ...names], {
    maxBuffer: 2 ** 30,
  })

const isDevice = (line: string) => /^(2|6)0\d{3}$/.test(JSON.parse(line)[1])

test('a Node image: a whole Debian root, Node, packages, an app, and what the last layer changes', {
  timeout: 300_000,
}, async () => {
  const node = realpathSync(process.execPath)
  const layers = [
    debian,
    tar(dirname(node), 'usr/local/bin', 'node'),
    // Whose time nobody tells, each gives its own.
    await makeLayer(
      ['app', 'app/node_modules', 'app/node_modules/next', 'app/platform'].map((name) => ({
        name,
        type: 'directory',
      })),
    ),
    tar(modules, 'app/node_modules', 'next/dist', 'react', 'react-dom'),
    tar(join(modules, '..'), 'app', 'app', 'platform/model', 'package.json'),
    // As `RUN apt-get clean` and a change of an own file leave them.
    await makeLayer([
      { name: 'var/lib/apt/lists', type: 'directory', mode: 0o700 },
      { name: 'var/lib/apt/lists/.wh..wh..opq' },
      { name: 'app/app/.wh.icon.svg' },
      { name: 'app/package.json', content: '{}', uid: 1000, gid: 1000 },
      { name: 'bin/new-tool', content: 'below a link of the root', mode: 0o4755 },
      { name: 'app/node', type: 'link', linkname: 'usr/local/bin/node' },
    ]),
  ]
  const { berth, umoci } = await bothUnpack(made, layers)
  expect(umoci.length).toBeGreaterThan(8_000)
  // Devices come from the runtime: an image's own are left out.
  expect(berth).toEqual(umoci.filter((line) => !isDevice(line)))
})
