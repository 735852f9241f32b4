/** Python: pip, uv, Poetry or Pipenv; Django, Flask, FastAPI. */
import { copy, execCommand, isRecord, plan, shellCommand, user, versionIn } from './dockerfile.ts'
import { type Detector, NotBuildable, type SourceFacts } from './source-view.ts'

const currentPython = '3.13'

export const python: Detector = {
  lookedFor: 'requirements.txt, pyproject.toml, Pipfile or manage.py (Python)',
  async detect(source) {
    const isPython =
      source.first('requirements.txt', 'pyproject.toml', 'Pipfile', 'manage.py', 'setup.py') !== null
    if (!isPython) return null
    const project = await source.toml('pyproject.toml')
    const manager = managerOf(source, project)
    const version = await versionOf(source, project)
    const needs = (await dependencyText(source)).toLowerCase()
    const start =
      source.webCommand === null
        ? await startOf(source, needs)
        : { framework: null, command: shellCommand(source.webCommand), server: null }
    const image = source.images.of('python', version)
    // A server for production, where the application does not bring it itself.
    const server =
      start.server !== null && !needs.includes(start.server.split('[')[0] ?? '') ? start.server : null
    const isDjango = source.has('manage.py')
    const what = [`Python ${version}`, start.framework, manager.name]
      .filter((part) => part !== null)
      .join(', ')
    return plan(
      what,
      source,
      [
        `FROM ${image} AS build`,
        'WORKDIR /app',
        'ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy POETRY_VIRTUALENVS_IN_PROJECT=1',
        'RUN python -m venv /app/.venv',
        manager.setUp,
        manager.files.length === 0 ? null : copy(manager.files, './'),
        manager.install === null ? null : `RUN ${manager.install}`,
        server === null
          ? null
          : `RUN /app/.venv/bin/python -m ensurepip >/dev/null && /app/.venv/bin/python -m pip install '${server}'`,
        'COPY . .',
        isDjango && needs.includes('whitenoise')
          ? 'RUN SECRET_KEY=only-while-building DJANGO_SECRET_KEY=only-while-building /app/.venv/bin/python manage.py collectstatic --noinput'
          : null,
        '',
        `FROM ${image}`,
        'WORKDIR /app',
        'ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000',
        `COPY --from=build --chown=${user} /app /app`,
        `USER ${user}`,
        start.command,
      ],
      ['.venv', 'venv', '**/__pycache__', '*.pyc'],
    )
  },
}

interface Manager {
  name: 'pip' | 'uv' | 'Poetry' | 'Pipenv'
  setUp: string | null
  files: string[]
  install: string | null
}

function managerOf(source: SourceFacts, project: Record<string, unknown>): Manager {
  const there = (...paths: string[]) => paths.filter((path) => source.has(path))
  if (source.has('uv.lock'))
    return {
      ...{ name: 'uv', setUp: 'RUN pip install uv', files: there('pyproject.toml', 'uv.lock') },
      install: 'uv sync --frozen --no-dev --no-install-project',
    }
  if (source.has('poetry.lock') || (isRecord(project.tool) && isRecord(project.tool.poetry)))
    return {
      ...{ name: 'Poetry', setUp: 'RUN pip install poetry', files: there('pyproject.toml', 'poetry.lock') },
      install: 'poetry install --only main --no-root --no-interaction',
    }
  if (source.has('Pipfile'))
    return {
      ...{ name: 'Pipenv', setUp: 'RUN pip install pipenv', files: there('Pipfile', 'Pipfile.lock') },
      install: `PIPENV_VENV_IN_PROJECT=1 pipenv ${source.has('Pipfile.lock') ? 'sync' : 'install'}`,
    }
  if (source.has('requirements.txt')) {
    // What one requirements file takes in from another.
    const files = source.files.filter((path) =>
      /^(requirements[\w.-]*\.txt|requirements\/[\w.-]+\.txt|constraints[\w.-]*\.txt)$/.test(path),
    )
    const isFlat = files.every((path) => !path.includes('/'))
    return {
      ...{
        name: 'pip',
        setUp: isFlat ? null : 'COPY requirements requirements',
        files: files.filter((path) => !path.includes('/')),
      },
      install: '/app/.venv/bin/pip install -r requirements.txt',
    }
  }
  if (isRecord(project.project))
    return { name: 'pip', setUp: 'COPY . .', files: [], install: '/app/.venv/bin/pip install .' }
  return { name: 'pip', setUp: null, files: [], install: null }
}

async function versionOf(source: SourceFacts, project: Record<string, unknown>): Promise<string> {
  const file = source.first('.python-version', 'runtime.txt')
  const named = file === null ? null : versionIn((await source.text(file)).trim(), /^(?:python-)?(\d+\.\d+)/)
  if (named !== null) return named
  const range = isRecord(project.project) ? String(project.project['requires-python'] ?? '') : ''
  const [, exact] = /^\s*(?:==|~=)\s*(3\.\d+)/.exec(range) ?? []
  const below = Number(/<\s*3\.(\d+)/.exec(range)?.[1] ?? 99)
  if (exact !== undefined) return exact
  return below <= 13 ? `3.${below - 1}` : currentPython
}

async function dependencyText(source: SourceFacts): Promise<string> {
  const texts = await Promise.all(
    [
      'requirements.txt',
      'pyproject.toml',
      'Pipfile',
      'requirements/base.txt',
      'requirements/production.txt',
    ].map((path) => source.text(path)),
  )
  return texts.join('\n')
}

interface Start {
  framework: string | null
  command: string
  server: string | null
}

const listen = '--bind 0.0.0.0:$PORT'

async function startOf(source: SourceFacts, needs: string): Promise<Start> {
  if (source.has('manage.py')) {
    const wsgi = source.files.find((path) => /^[\w/]+\/wsgi\.py$/.test(path) && path.split('/').length === 2)
    const module = /DJANGO_SETTINGS_MODULE['"]\s*,\s*['"](\w+)\./.exec(await source.text('manage.py'))?.[1]
    const name = module ?? wsgi?.split('/')[0]
    if (name === undefined)
      throw new NotBuildable('This is Django, and no wsgi.py was found beside its settings.')
    return {
      framework: 'Django',
      command: shellCommand(`gunicorn ${listen} ${name}.wsgi:application`),
      server: 'gunicorn',
    }
  }
  const candidates = [
    'main.py',
    'app.py',
    'server.py',
    'wsgi.py',
    'asgi.py',
    'application.py',
    'src/main.py',
    'src/app.py',
    'app/main.py',
    'app/__init__.py',
    'api/main.py',
  ].filter((path) => source.has(path))
  for (const path of candidates) {
    const text = await source.text(path)
    const module = path
      .replace(/\/__init__\.py$/, '')
      .replace(/\.py$/, '')
      .replaceAll('/', '.')
    const fast = /^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)\s*\(/m.exec(
      text,
    )?.[1]
    if (fast !== undefined)
      return {
        framework: 'FastAPI',
        command: shellCommand(`uvicorn ${module}:${fast} --host 0.0.0.0 --port $PORT`),
        server: 'uvicorn',
      }
    const flask = /^(\w+)\s*=\s*(?:flask\.)?(?:Flask|Quart)\s*\(/m.exec(text)?.[1]
    if (flask !== undefined)
      return {
        framework: 'Flask',
        command: shellCommand(`gunicorn ${listen} ${module}:${flask}`),
        server: 'gunicorn',
      }
    if (needs.includes('flask') && /def create_app\s*\(/.test(text))
      return {
        framework: 'Flask',
        command: shellCommand(`gunicorn ${listen} '${module}:create_app()'`),
        server: 'gunicorn',
      }
  }
  const [first] = candidates
  if (first !== undefined) return { framework: null, command: execCommand('python', first), server: null }
  throw new NotBuildable(
    'This is Python, and nothing says what to start: add main.py or app.py, or a Procfile with a line `web: …`.',
  )
}
