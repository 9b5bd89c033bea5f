/** A browser without pages: it follows redirects and keeps the cookies of each origin. */
export class AgentBrowser {
  readonly #jars = new Map<string, Map<string, string>>()

  cookiesOf(origin: string): ReadonlyMap<string, string> {
    return this.#jar(origin)
  }

  setCookie(origin: string, name: string, value: string): void {
    this.#jar(origin).set(name, value)
  }

  async ask(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url)
    const cookie = [...this.#jar(origin)].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), ...(cookie && { cookie }) },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/;\s*(?:max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)) this.#jar(origin).delete(name)
      else this.#jar(origin).set(name, value)
    }
    return response
  }

  /** Follows redirects to the page at their end, or until one leads to `until`. Returns where it then is, and the answer there. */
  async follow(start: string | URL, until?: string): Promise<{ url: URL; response: Response | undefined }> {
    let url = new URL(start)
    for (let hops = 0; hops < 12; hops += 1) {
      if (until !== undefined && url.href.startsWith(until)) return { url, response: undefined }
      const response = await this.ask(url)
      const location = response.headers.get('location')
      if (location === null) return { url, response }
      await response.body?.cancel()
      url = new URL(location, url)
    }
    throw new Error(`too many redirects, now at ${url.pathname}`)
  }

  #jar(origin: string): Map<string, string> {
    const jar = this.#jars.get(origin) ?? new Map<string, string>()
    this.#jars.set(origin, jar)
    return jar
  }
}
