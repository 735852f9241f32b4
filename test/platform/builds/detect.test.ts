import { expect, test } from 'vitest'
import { baseImages, detect, lookedFor } from '../../../platform/builds/detect/detect.ts'
import { baseImageNames, NotBuildable } from '../../../platform/builds/detect/source-view.ts'

type Files = Record<string, string>

const detectIn = (files: Files, images = {}) =>
  detect({ files: Object.keys(files), read: async (path) => files[path] ?? null }, images)

function packageJson(dependencies: string[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    dependencies: Object.fromEntries(dependencies.map((name) => [name, '1'])),
    ...more,
  })
}

const build = { scripts: { build: 'x build' } }
const next = { 'package.json': packageJson(['next'], build), 'package-lock.json': '' }
const kit = ['@sveltejs/kit', 'vite']

/** What it is taken for, and lines that its Dockerfile must have, in their order. */
const table: [name: string, files: Files, what: string, lines: string[]][] = [
  [
    'npm, a file that is started',
    { 'package.json': packageJson([], { scripts: { start: 'node server.js' } }), 'package-lock.json': '' },
    'Node.js 24, npm',
    [
      'FROM docker.io/library/node:24-slim AS build',
      'COPY package.json package-lock.json ./',
      'RUN npm ci --no-audit --no-fund',
      'COPY . .',
      'FROM docker.io/library/node:24-slim',
      'USER 1000:1000',
      'CMD ["node","server.js"]',
    ],
  ],
  [
    'pnpm of a version of its own, Next.js',
    {
      ...next,
      'pnpm-lock.yaml': '',
      'package.json': packageJson(['next'], { ...build, packageManager: 'pnpm@9.1.0' }),
    },
    'Node.js 24, Next.js, pnpm',
    [
      'RUN npm install --global pnpm@9.1.0',
      'RUN pnpm install --frozen-lockfile',
      'RUN pnpm run build',
      'RUN pnpm prune --prod --ignore-scripts',
      'CMD ["node_modules/.bin/next","start"]',
    ],
  ],
  [
    'Next.js that is standalone',
    { ...next, 'next.config.mjs': "export default { output: 'standalone' }", 'public/a.png': '' },
    'Node.js 24, Next.js, npm',
    [
      'COPY --from=build --chown=1000:1000 /app/.next/standalone ./',
      'COPY --from=build --chown=1000:1000 /app/public ./public',
      'CMD ["node","server.js"]',
    ],
  ],
  [
    'Next.js as pages',
    { ...next, 'next.config.js': 'module.exports = { output: "export" }' },
    'Node.js 24, Next.js, npm',
    ['FROM docker.io/library/caddy:2-alpine', 'COPY --from=build /app/out /srv'],
  ],
  [
    'yarn, Vite',
    { 'package.json': packageJson(['vite'], build), 'yarn.lock': '', 'index.html': '' },
    'Node.js 24, Vite, yarn',
    ['RUN yarn install --frozen-lockfile', 'RUN yarn run build', 'COPY --from=build /app/dist /srv'],
  ],
  [
    'yarn of today',
    { 'package.json': packageJson(['vite'], build), 'yarn.lock': '', '.yarnrc.yml': '' },
    'Node.js 24, Vite, yarn',
    [
      'RUN npm install --global --force @yarnpkg/cli-dist@4',
      'COPY package.json yarn.lock .yarnrc.yml ./',
      'RUN yarn install --immutable',
    ],
  ],
  [
    'yarn of a version of its own, that had packages in archives',
    {
      'package.json': packageJson([], { packageManager: 'yarn@3.6.4', scripts: { start: 'node a.js' } }),
      ...{ 'yarn.lock': '', '.pnp.cjs': '' },
    },
    'Node.js 24, yarn',
    [
      'RUN npm install --global --force @yarnpkg/cli-dist@3.6.4',
      'RUN yarn install --no-immutable',
      'CMD ["node","a.js"]',
    ],
  ],
  [
    'bun, Remix',
    {
      'package.json': packageJson(['@remix-run/dev', 'vite'], {
        scripts: { build: 'remix vite:build', start: 'remix-serve x' },
      }),
      'bun.lock': '',
    },
    'Bun, Remix',
    [
      'FROM docker.io/oven/bun:1-slim AS build',
      'RUN bun install --frozen-lockfile',
      'CMD ["bun","run","start"]',
    ],
  ],
  [
    'Astro as pages',
    { 'package.json': packageJson(['astro'], build), 'package-lock.json': '' },
    'Node.js 24, Astro, npm',
    ['COPY --from=build /app/dist /srv'],
  ],
  [
    'Astro with a server',
    { 'package.json': packageJson(['astro', '@astrojs/node'], build), 'package-lock.json': '' },
    'Node.js 24, Astro, npm',
    ['CMD ["node","./dist/server/entry.mjs"]'],
  ],
  [
    'Nuxt',
    { 'package.json': packageJson(['nuxt'], build), 'package-lock.json': '' },
    'Node.js 24, Nuxt, npm',
    ['COPY --from=build --chown=1000:1000 /app/.output ./.output', 'CMD ["node",".output/server/index.mjs"]'],
  ],
  [
    'SvelteKit',
    { 'package.json': packageJson([...kit, '@sveltejs/adapter-node'], build), 'package-lock.json': '' },
    'Node.js 24, SvelteKit, npm',
    ['CMD ["node","build"]'],
  ],
  [
    'a Procfile before all else, and a version that is named',
    { 'package.json': '{}', '.nvmrc': 'v22.3', Procfile: 'worker: node w.js\nweb: node x.js --port $PORT\n' },
    'Node.js 22.3, npm',
    ['CMD ["/bin/sh","-c","exec node x.js --port $PORT"]'],
  ],
  [
    'workspaces, whose installation looks at all of it',
    {
      'package.json': packageJson([], { workspaces: ['a'], main: 'index.js' }),
      'index.js': '',
      'package-lock.json': '',
    },
    'Node.js 24, npm',
    ['COPY . .', 'RUN npm ci --no-audit --no-fund', 'CMD ["node","index.js"]'],
  ],
  [
    'Django by pip',
    {
      'manage.py': "setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')",
      'requirements.txt': 'Django\nwhitenoise',
    },
    'Python 3.13, Django, pip',
    [
      'COPY requirements.txt ./',
      'RUN /app/.venv/bin/pip install -r requirements.txt',
      "RUN /app/.venv/bin/python -m ensurepip >/dev/null && /app/.venv/bin/python -m pip install 'gunicorn'",
      'COPY . .',
      'CMD ["/bin/sh","-c","exec gunicorn --bind 0.0.0.0:$PORT shop.wsgi:application"]',
    ],
  ],
  [
    'Flask by Poetry',
    {
      'pyproject.toml': '[tool.poetry]\n[tool.poetry.dependencies]\nflask = "3"\ngunicorn = "23"',
      'poetry.lock': '',
      'app.py': 'app = Flask(__name__)',
    },
    'Python 3.13, Flask, Poetry',
    [
      'RUN poetry install --only main --no-root --no-interaction',
      'CMD ["/bin/sh","-c","exec gunicorn --bind 0.0.0.0:$PORT app:app"]',
    ],
  ],
  [
    'Flask by Pipenv, of what it has locked',
    {
      Pipfile: '[packages]\nflask = "*"',
      'Pipfile.lock': '{}',
      'app.py': 'app = Flask(__name__)',
    },
    'Python 3.13, Flask, Pipenv',
    [
      'RUN pip install pipenv',
      'COPY Pipfile Pipfile.lock ./',
      'RUN PIPENV_VENV_IN_PROJECT=1 pipenv sync',
      "RUN /app/.venv/bin/python -m ensurepip >/dev/null && /app/.venv/bin/python -m pip install 'gunicorn'",
      'CMD ["/bin/sh","-c","exec gunicorn --bind 0.0.0.0:$PORT app:app"]',
    ],
  ],
  [
    'FastAPI by uv, and the Python that it wants',
    {
      'pyproject.toml': '[project]\nrequires-python = ">=3.10,<3.13"\ndependencies = ["fastapi"]',
      'uv.lock': '',
      'src/main.py': 'api: FastAPI = FastAPI()',
    },
    'Python 3.12, FastAPI, uv',
    [
      'RUN uv sync --frozen --no-dev --no-install-project',
      'CMD ["/bin/sh","-c","exec uvicorn src.main:api --host 0.0.0.0 --port $PORT"]',
    ],
  ],
  [
    'Go',
    { 'go.mod': 'module x\n\ngo 1.23.1\n', 'go.sum': '', 'cmd/server/main.go': '', 'cmd/tool/main.go': '' },
    'Go 1.23',
    [
      'COPY go.mod go.sum ./',
      'RUN go mod download',
      'RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /server ./cmd/server',
      'CMD ["/app/server"]',
    ],
  ],
  [
    'Rust',
    { 'Cargo.toml': '[package]\nname = "hello"\n', 'Cargo.lock': '', 'src/main.rs': '' },
    'Rust',
    [
      'COPY Cargo.toml Cargo.lock ./',
      'COPY --from=build /src/target/release/hello /app/hello',
      'CMD ["/app/hello"]',
    ],
  ],
  [
    'Rails, beside a package.json',
    { Gemfile: 'ruby "3.3.1"\ngem "rails"\ngem "pg"', 'Gemfile.lock': '', 'package.json': '{}' },
    'Ruby 3.3.1, Rails',
    [
      'RUN BUNDLE_FROZEN=1 bundle install',
      'CMD ["/bin/sh","-c","exec bundle exec rails server -b 0.0.0.0 -p $PORT"]',
    ],
  ],
  [
    'Rack',
    { Gemfile: 'gem "sinatra"', 'config.ru': '' },
    'Ruby 3.4',
    ['CMD ["/bin/sh","-c","exec bundle exec rackup -o 0.0.0.0 -p $PORT"]'],
  ],
  [
    'Laravel',
    {
      'composer.json': '{"require":{"php":"^8.2","laravel/framework":"11"}}',
      'composer.lock': '',
      'public/index.php': '',
      'package.json': '{}',
    },
    'PHP 8.2, Laravel',
    [
      'FROM docker.io/library/composer:2 AS packages',
      'FROM docker.io/library/php:8.2-apache',
      'CMD ["apache2-foreground"]',
    ],
  ],
  ['plain PHP', { 'index.php': '' }, 'PHP 8.4', ['COPY --chown=1000:1000 . /app']],
  [
    'Java by Maven, Spring Boot',
    { 'pom.xml': '<java.version>17</java.version> spring-boot-starter' },
    'Java 17, Maven, Spring Boot',
    [
      'FROM docker.io/library/maven:3-eclipse-temurin-17 AS build',
      'COPY pom.xml ./',
      'FROM docker.io/library/eclipse-temurin:17-jre',
    ],
  ],
  [
    'Java by Gradle',
    { 'build.gradle.kts': 'JavaLanguageVersion.of(21)', gradlew: '' },
    'Java 21, Gradle',
    ['RUN sh ./gradlew --no-daemon assemble'],
  ],
  [
    '.NET',
    {
      'web/App.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net8.0</TargetFramework>',
      'App.Tests/App.Tests.csproj': '',
    },
    '.NET 8.0',
    [
      'COPY web/App.csproj web/',
      'FROM mcr.microsoft.com/dotnet/aspnet:8.0',
      'CMD ["/bin/sh","-c","ASPNETCORE_URLS=http://0.0.0.0:$PORT exec dotnet App.dll"]',
    ],
  ],
  [
    'Deno',
    { 'deno.json': '{}', 'main.ts': '' },
    'Deno',
    ['CMD ["deno","run","--allow-net","--allow-env","--allow-read","main.ts"]'],
  ],
  [
    'pages',
    { 'public/index.html': '' },
    'static pages',
    ['FROM docker.io/library/caddy:2-alpine', 'COPY public/ /srv', 'USER 1000:1000'],
  ],
]

test.each(table)('%s', async (_name, files, what, lines) => {
  const found = await detectIn(files)
  expect(found?.what).toBe(what)
  const all = found?.dockerfile.split('\n') ?? []
  const places = lines.map((line) => all.indexOf(line))
  expect(places, found?.dockerfile).not.toContain(-1)
  // The same line may come in both stages: then its first place is none to go by.
  const once = lines
    .filter((line) => all.filter((other) => other === line).length === 1)
    .map((line) => all.indexOf(line))
  expect(once).toEqual([...once].sort((a, b) => a - b))
  // Not as root, and nothing of a secret file in it.
  expect(all).toContain('USER 1000:1000')
})

test('what is no source is nothing, and there are words for all that was looked for', async () => {
  expect(await detectIn({ 'README.md': '', 'main.c': '' })).toBeNull()
  for (const name of [
    'package.json',
    'pyproject.toml',
    'go.mod',
    'Gemfile',
    'Cargo.toml',
    'pom.xml',
    'deno.json',
    'index.html',
  ])
    expect(lookedFor.join()).toContain(name)
})

test.each<[string, Files, RegExp]>([
  ['nothing to start', { 'package.json': '{}' }, /add a script `start`/],
  ['SvelteKit without an adapter', { 'package.json': packageJson(kit, build) }, /adapter-node/],
  ['Python with nothing to start', { 'requirements.txt': '' }, /add main\.py/],
  [
    'Go with several programs',
    { 'go.mod': '', 'cmd/a/main.go': '', 'cmd/b/main.go': '' },
    /several programs/,
  ],
  ['a workspace of Rust', { 'Cargo.toml': '[workspace]' }, /without a package/],
  ['Gradle without its wrapper', { 'build.gradle': '' }, /no gradlew .* `gradle wrapper`/],
  ['several .NET projects', { 'a/A.csproj': '', 'b/B.csproj': '' }, /several \.NET projects/],
])('%s: what is missing is said', async (_name, files, message) => {
  await expect(detectIn(files)).rejects.toThrow(NotBuildable)
  await expect(detectIn(files)).rejects.toThrow(message)
})

test('base images are settings, each of them', async () => {
  const own = Object.fromEntries(baseImageNames.map((name) => [name, `mirror.internal/${name}:{version}`]))
  for (const [name, files] of table) {
    const { dockerfile = '' } = (await detectIn(files, own)) ?? {}
    const from = dockerfile.match(/^FROM .*$/gm) ?? []
    expect(from.length, name).toBeGreaterThan(0)
    for (const line of from) expect(line, name).toMatch(/^FROM mirror\.internal\//)
  }
  expect(baseImages({}).of('python', '3.12')).toBe('docker.io/library/python:3.12-slim')
})

test('secrets of the source stay out of the context, and nothing in it becomes a line of the Dockerfile', async () => {
  const files = {
    'package.json': packageJson([], {
      engines: { node: '22\nRUN evil' },
      scripts: { start: 'node a.js\nRUN evil' },
      packageManager: 'pnpm@1.2.3\nRUN evil',
    }),
    '.nvmrc': '20\nRUN evil',
    '.env': 'TOKEN=1',
    'web/.env.production': '',
    '.env.example': '',
    Procfile: 'web: node a.js\nRUN evil\n',
  }
  const { dockerfile, ignore } = (await detectIn(files)) ?? { dockerfile: 'RUN evil', ignore: '' }
  expect(dockerfile).not.toMatch(/^RUN evil/m)
  expect(ignore.split('\n')).toEqual(
    expect.arrayContaining(['.git', 'node_modules', '.env', 'web/.env.production']),
  )
  expect(ignore).not.toContain('example')
})
