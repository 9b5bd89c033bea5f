import type { Brand } from '../../domain/brand.ts'

/** How a mail looks: the brand of each client, and the one for clients that have none of their own. */
export interface BrandSettings {
  readonly brand: Brand
  /** By client id. */
  readonly brands?: ReadonlyMap<string, Brand> | undefined
}

/** What is made of a brand, once for each. Only brands that write mails cost memory. */
export class PerBrand<Made> {
  readonly #standard: Brand
  readonly #brands: ReadonlyMap<string, Brand>
  readonly #make: (brand: Brand) => Made
  readonly #made = new Map<Brand, Made>()

  constructor({ brand, brands = new Map() }: BrandSettings, make: (brand: Brand) => Made) {
    this.#standard = brand
    this.#brands = brands
    this.#make = make
  }

  /** @param clientId undefined if the mail is of no client. */
  of(clientId: string | undefined): { readonly brand: Brand; readonly made: Made } {
    const brand = (clientId !== undefined && this.#brands.get(clientId)) || this.#standard
    const made = this.#made.get(brand) ?? this.#make(brand)
    this.#made.set(brand, made)
    return { brand, made }
  }
}
