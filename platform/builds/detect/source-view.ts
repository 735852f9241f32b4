/** What detection looks at: the names of the source's files, and what some of them say. */
export interface SourceView {
  /** Relative, with slashes, of the folder that is built; those deep inside may be missing. */
  files: readonly string[]
  /** The beginning of a file; null when it is not there. */
  read(path: string): Promise<string | null>
}

export interface Plan {
  /** For a person, such as `Node.js 22, Next.js, pnpm`. */
  what: string
  /** Whole text of a Dockerfile. */
  dockerfile: string
  /** What its context leaves out, where the source has no .dockerignore. */
  ignore: string
}

/** One language. Null: the source is none of it. Throws NotBuildable when it is, and something is missing. */
export interface Detector {
  /** What it looks for, for whoever is told that nothing was found. */
  lookedFor: string
  detect(source: SourceFacts): Promise<Plan | null>
}

/** The language is clear, and how to build it is not. The message says what to do. */
export class NotBuildable extends Error {
  override readonly name = 'NotBuildable'
}

/** A view with the questions that detectors ask. */
export interface SourceFacts extends SourceView {
  has(path: string): boolean
  /** The first of these that is there. */
  first(...paths: string[]): string | null
  /** Contents; empty when it is not there. */
  text(path: string): Promise<string>
  json(path: string): Promise<Record<string, unknown>>
  toml(path: string): Promise<Record<string, unknown>>
  /** Of the Procfile's `web`; null when there is none. */
  webCommand: string | null
  images: BaseImages
}

export interface BaseImages {
  /** Reference of a base image by its name here, and a version where it has several. */
  of(name: BaseImageName, version?: string): string
}

/** Their defaults; `{version}` is replaced. Debian's variants, since what is built natively finds its libraries there. */
export const defaultBaseImages = {
  node: 'docker.io/library/node:{version}-slim',
  bun: 'docker.io/oven/bun:{version}-slim',
  deno: 'docker.io/denoland/deno:{version}',
  python: 'docker.io/library/python:{version}-slim',
  go: 'docker.io/library/golang:{version}',
  ruby: 'docker.io/library/ruby:{version}-slim',
  php: 'docker.io/library/php:{version}-apache',
  composer: 'docker.io/library/composer:2',
  rust: 'docker.io/library/rust:{version}',
  maven: 'docker.io/library/maven:3-eclipse-temurin-{version}',
  jdk: 'docker.io/library/eclipse-temurin:{version}-jdk',
  jre: 'docker.io/library/eclipse-temurin:{version}-jre',
  'dotnet-sdk': 'mcr.microsoft.com/dotnet/sdk:{version}',
  dotnet: 'mcr.microsoft.com/dotnet/aspnet:{version}',
  static: 'docker.io/library/caddy:2-alpine',
  debian: 'docker.io/library/debian:stable-slim',
} as const

export type BaseImageName = keyof typeof defaultBaseImages
export const baseImageNames = Object.keys(defaultBaseImages) as BaseImageName[]
