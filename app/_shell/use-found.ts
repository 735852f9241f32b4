'use client'

import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
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

/** What has this text in its name. Apps are asked for, since there can be many; all else is known. */
export function useFound(text: string, team: SearchedTeam | null, isAdmin: boolean) {
  const t = useTranslations('search')
  const { apps, state } = useApps(text.trim(), team)
  const pages = usePages(team, isAdmin)
  const here = useHere(team)
  const wanted = text.trim().toLowerCase()
  const fits = ({ label }: Found) => label.toLowerCase().includes(wanted)
  const base = team === null ? '' : `/${team.slug}`
  const projects = (team?.projects ?? []).map(({ slug, name }) => ({ label: name, href: `${base}/${slug}` }))
  const groups: FoundGroup[] = [
    { value: t('apps'), items: apps },
    // Without a word to go by, they would hide the pages.
    { value: t('projects'), items: wanted === '' ? [] : projects.filter(fits).slice(0, most) },
    { value: t('here'), items: wanted === '' ? [] : here.filter(fits) },
    { value: t('pages'), items: pages.filter(fits) },
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

/** Those that were found last stay until there are others. */
function useApps(text: string, team: SearchedTeam | null) {
  const [apps, setApps] = useState<Found[]>([])
  const [state, setState] = useState<'asking' | 'done' | 'failed'>('asking')
  useEffect(() => {
    if (team === null) return setState('done')
    const over = new AbortController()
    setState('asking')
    const timer = setTimeout(
      async () => {
        try {
          const query = new URLSearchParams({ limit: String(most), ...(text === '' ? {} : { search: text }) })
          const response = await fetch(`/api/v1/teams/${team.id}/apps?${query}`, { signal: over.signal })
          if (!response.ok) throw new Error(`answered ${response.status}`)
          const { data } = (await response.json()) as { data: App[] }
          setApps(
            data.flatMap(({ name, slug, projectId }) => {
              const project = team.projects.find(({ id }) => id === projectId)
              if (project === undefined) return []
              return [{ label: name, href: `/${team.slug}/${project.slug}/${slug}`, note: project.name }]
            }),
          )
          setState('done')
        } catch {
          if (over.signal.aborted) return
          setApps([])
          setState('failed')
        }
      },
      text === '' ? 0 : restMs,
    )
    return () => {
      clearTimeout(timer)
      over.abort()
    }
  }, [text, team])
  return { apps, state }
}
