/** Node.js and Bun: the package manager by its lock file, the framework by what is depended on. */
import { copy, execCommand, isRecord, plan, shellCommand, stringsOf, user, versionIn } from './dockerfile.ts'
import { dependenciesOf, type FoundFramework, findFramework } from './frameworks.ts'
import { type Detector, NotBuildable, type SourceFacts } from './source-view.ts'
import { staticServer } from './static.ts'

const currentNode = '24'

export const node: Detector = {
  lookedFor: 'package.json (Node.js, Bun)',
  async detect(source) {
    if (!source.has('package.json')) return null
    const manifest = await source.json('package.json')
    const manager = managerOf(source, manifest)
    const framework = await findFramework(source)
    const version = await nodeVersion(source, manifest)
    const runtime = manager.name === 'bun' ? 'Bun' : `Node.js ${version}`
    const what = [runtime, framework?.name, manager.name === 'bun' ? undefined : manager.name]
      .filter((part) => part !== undefined)
      .join(', ')
    const image = manager.name === 'bun' ? source.images.of('bun', '1') : source.images.of('node', version)
    const facts = { source, manifest, manager, framework, image, what }
    const end = await endOf(facts)
    return plan(
      what,
      source,
      [
        `FROM ${image} AS build`,
        'WORKDIR /app',
        manager.setUp,
        ...(needsAllToInstall(source, manifest)
          ? ['COPY . .', `RUN ${manager.install}`]
          : [copy([...manager.files(source)], './'), `RUN ${manager.install}`, 'COPY . .']),
        end.build === null ? null : `RUN ${end.build}`,
        end.keepsPackages && end.build !== null ? manager.prune : null,
        '',
        ...end.lines,
      ],
      ['node_modules', '**/node_modules', 'npm-debug.log', ...end.outputs],
    )
  },
}

interface Manager {
  name: 'npm' | 'pnpm' | 'yarn' | 'bun'
  setUp: string | null
  install: string
  /** Leaves what runs, without what only builds. */
  prune: string | null
  run(script: string): string
  /** A program that a package brings. */
  execute(line: string): string
  files(source: SourceFacts): string[]
}

function managerOf(source: SourceFacts, manifest: Record<string, unknown>): Manager {
  const named = typeof manifest.packageManager === 'string' ? manifest.packageManager : ''
  const pinned = versionIn(named, /^(?:pnpm|yarn)@(\d+\.\d+\.\d+)/)
  const common = (lock: string[]) => (from: SourceFacts) =>
    ['package.json', ...lock, '.npmrc', '.yarnrc', '.yarnrc.yml', '.nvmrc', 'bunfig.toml'].filter((path) =>
      from.has(path),
    )
  if (source.has('bun.lock') || source.has('bun.lockb') || named.startsWith('bun@'))
    return {
      ...{ name: 'bun', setUp: null, prune: null },
      install:
        source.first('bun.lock', 'bun.lockb') === null ? 'bun install' : 'bun install --frozen-lockfile',
      run: (script) => `bun run ${script}`,
      execute: (line) => `bunx --bun ${line}`,
      files: common(['bun.lock', 'bun.lockb']),
    }
  if (source.has('pnpm-lock.yaml') || named.startsWith('pnpm@'))
    return {
      ...{ name: 'pnpm', setUp: `ENV CI=true\nRUN npm install --global pnpm@${pinned ?? '10'}` },
      install: source.has('pnpm-lock.yaml') ? 'pnpm install --frozen-lockfile' : 'pnpm install',
      prune: 'RUN pnpm prune --prod --ignore-scripts',
      run: (script) => `pnpm run ${script}`,
      execute: (line) => `pnpm exec ${line}`,
      files: common(['pnpm-lock.yaml', 'pnpm-workspace.yaml']),
    }
  if (source.has('yarn.lock') || named.startsWith('yarn@')) {
    const isModern = source.has('.yarnrc.yml') || (pinned !== null && !pinned.startsWith('1.'))
    return {
      name: 'yarn',
      // From the registry of packages as all else: corepack would ask another host. Packages lie where Node itself
      // looks for them, so that it starts without yarn.
      setUp: isModern
        ? `ENV YARN_NODE_LINKER=node-modules YARN_ENABLE_GLOBAL_CACHE=true YARN_ENABLE_TELEMETRY=false\nRUN npm install --global --force @yarnpkg/cli-dist@${pinned ?? '4'}`
        : null,
      // What was installed for another way to find packages would have to be changed.
      install: isModern
        ? source.has('yarn.lock') && !source.has('.pnp.cjs')
          ? 'yarn install --immutable'
          : 'yarn install --no-immutable'
        : source.has('yarn.lock')
          ? 'yarn install --frozen-lockfile'
          : 'yarn install',
      prune: isModern
        ? null
        : 'RUN yarn install --frozen-lockfile --production --ignore-scripts --prefer-offline',
      run: (script) => `yarn run ${script}`,
      execute: (line) => `yarn exec ${line}`,
      files: common(['yarn.lock']),
    }
  }
  const hasLock = source.first('package-lock.json', 'npm-shrinkwrap.json') !== null
  return {
    ...{ name: 'npm', setUp: null, prune: 'RUN npm prune --omit=dev --ignore-scripts' },
    install: `npm ${hasLock ? 'ci' : 'install'} --no-audit --no-fund`,
    run: (script) => `npm run ${script}`,
    execute: (line) => `npx --no-install ${line}`,
    files: common(['package-lock.json', 'npm-shrinkwrap.json']),
  }
}

/** Scripts of the installation, patches and workspaces look at more than the manifest. */
function needsAllToInstall(source: SourceFacts, manifest: Record<string, unknown>): boolean {
  const scripts = stringsOf(manifest.scripts)
  return (
    ['preinstall', 'install', 'postinstall', 'prepare'].some((name) => name in scripts) ||
    manifest.workspaces !== undefined ||
    source.has('pnpm-workspace.yaml') ||
    source.files.some((path) => /^(patches|\.yarn|prisma)\//.test(path)) ||
    Object.values(dependenciesOf(manifest)).some((range) => /^(file|link|workspace):/.test(range))
  )
}

async function nodeVersion(source: SourceFacts, manifest: Record<string, unknown>): Promise<string> {
  const file = source.first('.nvmrc', '.node-version')
  const named = file === null ? null : versionIn((await source.text(file)).trim(), /^v?(\d+(?:\.\d+){0,2})$/)
  if (named !== null) return named
  const range = isRecord(manifest.engines) ? String(manifest.engines.node ?? '') : ''
  // A lower bound lets newer ones in; anything else names its major.
  const major = versionIn(range, /(\d+)/)
  if (major === null || /^\s*>=?/.test(range))
    return Number(major ?? 0) > Number(currentNode) ? (major ?? '') : currentNode
  return major
}

interface End {
  build: string | null
  /** What it runs with is all of the folder. */
  keepsPackages: boolean
  /** The last stage. */
  lines: string[]
  /** What an earlier build on the developer's machine left. */
  outputs: string[]
}

interface Facts {
  source: SourceFacts
  manifest: Record<string, unknown>
  manager: Manager
  framework: FoundFramework | null
  image: string
  what: string
}

async function endOf(facts: Facts): Promise<End> {
  const { source, manifest, manager, framework } = facts
  const scripts = stringsOf(manifest.scripts)
  const own = framework?.buildCommand ?? null
  const build =
    scripts.build !== undefined ? manager.run('build') : own === null ? null : manager.execute(own)
  if (source.webCommand !== null) return whole(facts, build, shellCommand(source.webCommand))
  const packages = dependenciesOf(manifest)
  switch (framework?.slug) {
    case 'nextjs': {
      const config = await source.text(
        source.first('next.config.js', 'next.config.mjs', 'next.config.ts', 'next.config.cjs') ?? '',
      )
      if (/output\s*:\s*['"]export['"]/.test(config)) return pages(facts, build, 'out')
      if (/output\s*:\s*['"]standalone['"]/.test(config)) return standalone(facts, build)
      return whole(facts, build, execCommand('node_modules/.bin/next', 'start'), ['.next'])
    }
    case 'nuxtjs':
    case 'nitro':
    case 'solidstart-1':
    case 'tanstack-start':
      return /generate/.test(scripts.build ?? '')
        ? pages(facts, build, '.output/public')
        : output(facts, build, '.output', '.output/server/index.mjs')
    case 'sveltekit':
    case 'sveltekit-1':
      if ('@sveltejs/adapter-static' in packages) return pages(facts, build, 'build')
      if ('@sveltejs/adapter-node' in packages)
        return whole(facts, build, execCommand('node', 'build'), ['build', '.svelte-kit'])
      throw new NotBuildable(
        'This is SvelteKit without an adapter for a server of its own: add @sveltejs/adapter-node (or @sveltejs/adapter-static) to svelte.config.js.',
      )
    case 'astro':
      return '@astrojs/node' in packages
        ? whole(facts, build, execCommand('node', './dist/server/entry.mjs'), ['dist'])
        : pages(facts, build, 'dist')
    case 'remix':
      return whole(
        facts,
        build,
        startOf(facts) ?? shellCommand('node_modules/.bin/remix-serve ./build/server/index.js'),
        ['build'],
      )
    case 'react-router':
      return whole(
        facts,
        build,
        startOf(facts) ?? shellCommand('node_modules/.bin/react-router-serve ./build/server/index.js'),
        ['build'],
      )
  }
  // Programs that show pages while one develops serve nobody else.
  const start =
    /^(vite|react-scripts|ng|vue-cli-service|parcel|gatsby|astro|serve|npx|webpack|eleventy|docusaurus|vitepress|hexo)\b/.test(
      scripts.start ?? '',
    )
      ? null
      : startOf(facts)
  if (start !== null) return whole(facts, build, start)
  if (framework?.outputFolder) return pages(facts, build, framework.outputFolder)
  const main =
    typeof manifest.main === 'string' && source.has(manifest.main.replace(/^\.\//, '')) ? manifest.main : null
  const file =
    main ??
    source.first(
      'server.js',
      'index.js',
      'app.js',
      'main.js',
      'server.mjs',
      'index.mjs',
      'src/index.js',
      'src/server.js',
      'server.ts',
      'index.ts',
      'src/index.ts',
    )
  if (file !== null)
    return whole(facts, build, execCommand(facts.manager.name === 'bun' ? 'bun' : 'node', file))
  throw new NotBuildable(
    'There is a package.json, and nothing says what to start: add a script `start`, a `main`, or a Procfile with a line `web: …`.',
  )
}

/** A script that starts one file is started without a program between, so that it gets the signals. */
function startOf({ manifest, manager }: Facts): string | null {
  const line = stringsOf(manifest.scripts).start
  if (line === undefined) return null
  if (/^(node|bun)( --?[\w=-]+)* [\w./-]+$/.test(line)) return execCommand(...line.split(' '))
  return manager.name === 'bun' ? execCommand('bun', 'run', 'start') : execCommand('npm', 'run', 'start')
}

const production = 'ENV NODE_ENV=production HOST=0.0.0.0 HOSTNAME=0.0.0.0'

function whole({ image }: Facts, build: string | null, command: string, outputs: string[] = []): End {
  return {
    ...{ build, keepsPackages: true, outputs },
    lines: [
      `FROM ${image}`,
      'WORKDIR /app',
      production,
      `COPY --from=build --chown=${user} /app /app`,
      `USER ${user}`,
      command,
    ],
  }
}

function standalone({ image, source }: Facts, build: string | null): End {
  const copied = ['.next/standalone ./', '.next/static ./.next/static']
  if (source.files.some((path) => path.startsWith('public/'))) copied.push('public ./public')
  return {
    ...{ build, keepsPackages: false, outputs: ['.next'] },
    lines: [
      `FROM ${image}`,
      'WORKDIR /app',
      production,
      ...copied.map((each) => `COPY --from=build --chown=${user} /app/${each}`),
      `USER ${user}`,
      execCommand('node', 'server.js'),
    ],
  }
}

function output({ image, manager }: Facts, build: string | null, folder: string, file: string): End {
  return {
    ...{ build, keepsPackages: false, outputs: [folder] },
    lines: [
      `FROM ${image}`,
      'WORKDIR /app',
      production,
      `COPY --from=build --chown=${user} /app/${folder} ./${folder}`,
      `USER ${user}`,
      execCommand(manager.name === 'bun' ? 'bun' : 'node', file),
    ],
  }
}

function pages({ source, framework }: Facts, build: string | null, folder: string): End {
  // Those whose routes are made in the browser answer every path with the one page.
  const isOnePage =
    /^(vite|create-react-app|vue|angular|preact|svelte|parcel|ember|ionic-react|ionic-angular)$/.test(
      framework?.slug ?? '',
    )
  return {
    ...{ build, keepsPackages: false, outputs: [folder] },
    lines: staticServer(source, `COPY --from=build /app/${folder} /srv`, isOnePage),
  }
}
