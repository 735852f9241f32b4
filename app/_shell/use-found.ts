'use client'

import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect, useEffectEvent, useState } from 'react'
import type { App } from '@/platform/model/resources.ts'
import { appTabs } from './app-tab-names.ts'
import type { SearchedTeam } from './search-dialog.client.tsx'

export interface Found {
  label: string
  href: string
  /** Where it is, or what it is. */
  note?: string
}

interface FoundGroup {
  /** Its heading. */
  value: string
  items: Found[]
}

const restMs = 120
const most = 8

/**
 * What has this text in its name. Apps are asked for, since there can be many; all else is known.
 *
 * Nothing is ever put before what is shown for the same text: Enter opens what is highlighted, and that is known by its
 * place in the list. So apps, which are answered late, come last.
 */
export function useFound(text: string, team: SearchedTeam | null, isAdmin: boolean) {
  const t = useTranslations('search')
  const { apps, state } = useApps(text.trim(), team)
  const pages = usePages(team, isAdmin)
  const here = useHere(team)
  const wanted = text.trim().toLowerCase()
  const fits = ({ label }: Found) => label.toLowerCase().includes(wanted)
  const base = team === null ? '' : `/${team.slug}`
  const projects = (team?.projects ?? []).map(({ slug, name }) => ({ label: name, href: `${base}/${slug}` }))
  // Without a word to go by, they are what one looks for most: all waits for them, and nothing is shown before.
  const groups: FoundGroup[] =
    wanted === ''
      ? state === 'asking'
        ? []
        : [
            { value: t('apps'), items: apps },
            { value: t('pages'), items: pages },
          ]
      : [
          { value: t('projects'), items: projects.filter(fits).slice(0, most) },
          { value: t('here'), items: here.filter(fits) },
          { value: t('pages'), items: pages.filter(fits) },
          { value: t('apps'), items: apps },
        ]
  return { groups: groups.filter(({ items }) => items.length > 0), state }
}

/** The pages of the app that one looks at. */
function useHere(team: SearchedTeam | null): Found[] {
  const t = useTranslations('app.tabs')
  const [, teamSlug, projectSlug, appSlug] = usePathname().split('/')
  if (team === null || team.slug !== teamSlug) return []
  const project = team.projects.find(({ slug }) => slug === projectSlug)
  if (project === undefined) return []
  if (appSlug === undefined || ['new', 'settings'].includes(appSlug)) return []
  return appTabs(`/${team.slug}/${project.slug}/${appSlug}`, project.role).map(({ name, href }) => ({
    ...{ label: t(name), href },
    note: appSlug,
  }))
}

function usePages(team: SearchedTeam | null, isAdmin: boolean): Found[] {
  const t = useTranslations('shell')
  return [
    ...(team === null
      ? []
      : [
          { label: t('overview'), href: `/${team.slug}` },
          ...(team.canDeploy ? [{ label: t('deploy'), href: `/${team.slug}/new` }] : []),
          { label: t('repositories'), href: `/${team.slug}/repositories` },
          { label: t('settings'), href: `/${team.slug}/settings` },
        ]),
    { label: t('account'), href: '/account' },
    ...(isAdmin ? [{ label: t('admin'), href: '/admin' }] : []),
    { label: t('apiDocs'), href: '/api/v1/docs' },
  ]
}

/**
 * Until these words are answered: of those that are known, those that fit. They keep their places when the answer
 * comes, which adds what was not known, and takes away what is there no more.
 */
function useApps(text: string, team: SearchedTeam | null) {
  const [known, setKnown] = useState<FoundApp[]>([])
  const [answer, setAnswer] = useState<{ text: string; state: 'done' | 'failed' } | null>(null)
  const take = useEffectEvent((found: FoundApp[]) => {
    const hrefs = new Set(found.map(({ href }) => href))
    // Of many that fit only some are answered: another one that was known may well be there.
    const isAll = found.length < most || answer?.text === text
    const first = known.filter((app) => (isAll ? hrefs.has(app.href) : hasInName(app, text)))
    const shown = new Set(first.map(({ href }) => href))
    setKnown([...first, ...found.filter(({ href }) => !shown.has(href))])
    setAnswer({ text, state: 'done' })
  })
  // Asked again when something changes in the team, of which the page is told a new one then.
  useEffect(() => {
    if (team === null) return
    const over = new AbortController()
    const timer = setTimeout(
      async () => {
        try {
          const found = await askForApps(text, team, over.signal)
          if (!over.signal.aborted) take(found)
        } catch {
          if (!over.signal.aborted) setAnswer({ text, state: 'failed' })
        }
      },
      text === '' ? 0 : restMs,
    )
    return () => {
      clearTimeout(timer)
      over.abort()
    }
  }, [text, team])
  if (team === null) return { apps: [], state: 'done' as const }
  const isAnswered = answer?.text === text
  const apps = isAnswered ? known : known.filter((app) => hasInName(app, text))
  return { apps: apps.slice(0, most), state: isAnswered ? answer.state : 'asking' }
}

interface FoundApp extends Found {
  slug: string
}

async function askForApps(text: string, team: SearchedTeam, signal: AbortSignal): Promise<FoundApp[]> {
  const query = new URLSearchParams({ limit: String(most), ...(text === '' ? {} : { search: text }) })
  const response = await fetch(`/api/v1/teams/${team.id}/apps?${query}`, { signal })
  if (!response.ok) throw new Error(`answered ${response.status}`)
  const { data } = (await response.json()) as { data: App[] }
  return data.flatMap(({ name, slug, projectId }) => {
    const project = team.projects.find(({ id }) => id === projectId)
    if (project === undefined) return []
    return [{ label: name, slug, href: `/${team.slug}/${project.slug}/${slug}`, note: project.name }]
  })
}

/** As the API looks for them. */
function hasInName({ label, slug }: FoundApp, text: string): boolean {
  const wanted = text.toLowerCase()
  return label.toLowerCase().includes(wanted) || slug.toLowerCase().includes(wanted)
}
