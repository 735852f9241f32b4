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

const nothing = '#!/bin/sh\nexit 0\n'

const apache = [
  '#!/bin/sh',
  '. /etc/apache2/envvars',
  'export APACHE_LOCK_DIR=/tmp',
  'exec apache2 -DFOREGROUND',
  '',
].join('\n')

/** Debian's own folder of packages takes the place of what would be fetched. */
const offlineMaven = [
  '#!/bin/sh',
  'case "$*" in *dependency:go-offline*) exit 0 ;; esac',
  'exec /usr/share/maven/bin/mvn -o -Dmaven.repo.local=/usr/share/maven-repo "$@"',
  '',
].join('\n')

const javaFolder = `/usr/lib/jvm/java-17-openjdk-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
const javaLinks = { 'usr/bin/java': `${javaFolder}/bin/java`, 'usr/bin/javac': `${javaFolder}/bin/javac` }

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
  /** With what the usual image has for Dockerfiles to call; the extensions come from Debian. */
  php: {
    ...{ name: 'php', version: '8.2' },
    make: () =>
      debianImage(['apache2', 'libapache2-mod-php', 'php-mysql'], {
        whole: true,
        scripts: {
          'usr/local/bin/docker-php-ext-install': nothing,
          'run/apache2/.keep': '',
          'usr/local/bin/apache2-foreground': apache,
        },
      }),
  },
  composer: {
    ...{ name: 'composer', version: 'latest' },
    make: () => debianImage(['composer'], { whole: true }),
  },
  /** What a build installs by apt is for gems that are compiled, and there are none. */
  ruby: {
    ...{ name: 'ruby', version: '3.1' },
    make: () =>
      debianImage(['ruby', 'ruby-bundler'], {
        scripts: { 'usr/local/bin/apt-get': nothing, 'usr/local/bundle/.keep': '' },
      }),
  },
  /** Maven Central may be out of reach: the plugins come from Debian, at the versions that it has. */
  maven: {
    ...{ name: 'maven', version: '17' },
    make: () =>
      debianImage(
        [
          'maven',
          'openjdk-17-jdk-headless',
          'libmaven-compiler-plugin-java',
          'libmaven-jar-plugin-java',
          'libmaven-resources-plugin-java',
          'libsurefire-java',
        ],
        { links: javaLinks, scripts: { 'usr/local/bin/mvn': offlineMaven } },
      ),
  },
  jre: {
    ...{ name: 'jre', version: '17' },
    make: () => debianImage(['openjdk-17-jre-headless'], { links: javaLinks }),
  },
} satisfies Record<string, LanguageImage>

export type LanguageImageName = keyof typeof languageImages
