import { getTranslations } from 'next-intl/server'
import { ButtonLink } from '../../_ui/button.tsx'

interface OlderLinkProps {
  path: string
  /** What the page was asked with. */
  query: Record<string, string | undefined>
  nextCursor: string | null
}

/** Leads to the next page of a list, if there is one. */
export async function OlderLink({ path, query, nextCursor }: OlderLinkProps) {
  if (nextCursor === null) return null
  const t = await getTranslations('common')
  const given = Object.entries({ ...query, cursor: nextCursor }).filter((pair) => pair[1] !== undefined)
  const address = new URLSearchParams(given as [string, string][])
  return (
    <div className="mt-4 flex justify-center">
      <ButtonLink href={`${path}?${address}`}>{t('more')}</ButtonLink>
    </div>
  )
}
