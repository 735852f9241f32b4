/** Base images of languages, for tests of source without a Dockerfile: made on the spot of what Debian and npm have. */
import type { ImageSpec } from './images.ts'
import { npmImage } from './npm-image.ts'
import { debianImage, npmPackageLayer, npmProgramImage } from './runtime-images.ts'

export interface LanguageImage {
  /** Its name in BERTH_BUILD_IMAGES, and the version that a source has to name to get it. */
  name: string
  version: string
  make(): Promise<ImageSpec>
}

const node: LanguageImage = {
  ...{ name: 'node', version: '24' },
  make: async () => ({ ...(await npmImage()), files: {} }),
}

const pythonLinks = { 'usr/bin/python': 'python3' }

/** A virtual environment that has what Debian's packages brought: for pip it is installed. */
const sharingPython = [
  '#!/bin/sh',
  'case "$1 $2" in "-m venv") exec python3 -m venv --system-site-packages "$3" ;; esac',
  'exec python3 "$@"',
  '',
].join('\n')

export const languageImages = {
  node,
  /** What frameworks bring natively finds all of the C library there; and it has yarn, as the usual image has. */
  nodeWhole: {
    ...{ name: 'node', version: '24.0' },
    async make() {
      const [npm, libraries, yarn] = await Promise.all([
        npmImage(),
        debianImage(['libc6', 'libstdc++6']),
        npmPackageLayer('yarn', 'yarn@1.22.22', 'bin/yarn.js'),
      ])
      const layers = [...(npm.layers ?? []), ...(libraries.layers ?? []), yarn]
      const history = Array.from({ length: layers.length + 1 }, () => ({ created_by: 'a layer' }))
      return { ...npm, layers, history, files: {} }
    },
  },
  bun: { ...{ name: 'bun', version: '1' }, make: () => npmProgramImage('bun', 'bun@1') },
  deno: { ...{ name: 'deno', version: '2' }, make: () => npmProgramImage('deno', 'deno@2') },
  static: { ...{ name: 'static', version: 'latest' }, make: () => debianImage(['caddy']) },
  debian: { ...{ name: 'debian', version: 'latest' }, make: () => debianImage(['libc6', 'libgcc-s1']) },
  python: {
    ...{ name: 'python', version: '3.13' },
    make: () => debianImage(['python3', 'python3-venv'], { links: pythonLinks }),
  },
  /** PyPI may be out of reach: what these need comes from Debian. */
  pythonWhole: {
    ...{ name: 'python', version: '3.11' },
    make: () =>
      debianImage(
        [
          'python3',
          'python3-venv',
          'python3-flask',
          'python3-django',
          'gunicorn',
          'python3-fastapi',
          'uvicorn',
        ],
        {
          scripts: {
            'usr/bin/python': sharingPython,
            // Debian's go together, whatever versions they ask for.
            'etc/pip.conf': '[install]\nno-deps = true\n',
          },
        },
      ),
  },
  go: { ...{ name: 'go', version: '1.19' }, make: () => debianImage(['golang-go']) },
  rust: {
    ...{ name: 'rust', version: '1' },
    make: () => debianImage(['cargo', 'gcc', 'libc6-dev'], { links: { 'usr/bin/cc': 'gcc' } }),
  },
} satisfies Record<string, LanguageImage>

export type LanguageImageName = keyof typeof languageImages
