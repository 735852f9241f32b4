import { posix } from 'node:path'
import { plan, shellCommand, user, versionIn } from './dockerfile.ts'
import { type Detector, NotBuildable } from './source-view.ts'

export const dotnet: Detector = {
  lookedFor: 'a .csproj or .fsproj (.NET)',
  async detect(source) {
    const projects = source.files.filter((path) => /\.(cs|fs)proj$/.test(path) && !/test/i.test(path))
    if (projects.length === 0) return null
    const texts = await Promise.all(projects.map(async (path) => ({ path, text: await source.text(path) })))
    const web = texts.filter(({ text }) => text.includes('Microsoft.NET.Sdk.Web'))
    const chosen = web.length === 1 ? web[0] : texts.length === 1 ? texts[0] : undefined
    if (chosen === undefined)
      throw new NotBuildable(
        `There are several .NET projects (${projects.slice(0, 8).join(', ')}): choose one by its folder, or add a Dockerfile.`,
      )
    const { path, text } = chosen
    const version = versionIn(text, /<TargetFramework>net(\d+\.\d+)</) ?? '9.0'
    const name = /<AssemblyName>([\w.-]+)</.exec(text)?.[1] ?? posix.basename(path).replace(/\.\w+$/, '')
    if (!/^[\w.-]+$/.test(name) || !/^[\w./-]+$/.test(path))
      throw new NotBuildable(
        `The name of ${JSON.stringify(path)} has signs that a Dockerfile does not take: add a Dockerfile.`,
      )
    const isAlone =
      projects.length === 1 &&
      source.first('Directory.Build.props', 'Directory.Packages.props', 'nuget.config') === null
    return plan(
      `.NET ${version}`,
      source,
      [
        `FROM ${source.images.of('dotnet-sdk', version)} AS build`,
        'WORKDIR /src',
        ...(isAlone
          ? [`COPY ${path} ${posix.dirname(path)}/`, `RUN dotnet restore ${path}`, 'COPY . .']
          : ['COPY . .']),
        `RUN dotnet publish ${path} -c Release -o /app${isAlone ? ' --no-restore' : ''}`,
        '',
        `FROM ${source.images.of('dotnet', version)}`,
        'WORKDIR /app',
        'COPY --from=build /app /app',
        'ENV PORT=8080',
        `USER ${user}`,
        shellCommand(source.webCommand ?? `ASPNETCORE_URLS=http://0.0.0.0:$PORT exec dotnet ${name}.dll`),
      ],
      ['**/bin', '**/obj'],
    )
  },
}
