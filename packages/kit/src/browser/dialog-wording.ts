/** Every word of the dialog. {braces} are filled in. Counts stand after a colon, so that no language has to inflect them. */
export interface DialogWording {
  readonly title: string
  readonly introduction: string
  readonly loading: string
  readonly sending: string
  readonly sent: string
  readonly delayed: string
  readonly undelivered: string
  readonly codeLabel: string
  readonly validFor: string
  readonly codeExpired: string
  readonly getAnother: string
  readonly confirm: string
  readonly checking: string
  readonly resend: string
  readonly resendIn: string
  readonly noMoreCodes: string
  readonly cancel: string
  readonly close: string
  readonly retry: string
  readonly guessesLeft: string
  readonly wrongCode: string
  readonly noCode: string
  readonly notACode: string
  readonly verified: string
  readonly consumed: string
  readonly expired: string
  readonly exhausted: string
  readonly cancelled: string
  readonly tooSoon: string
  readonly locked: string
  readonly noAddress: string
  readonly signedOut: string
  readonly notFound: string
  readonly unavailable: string
}

export const LANGUAGES = ['en', 'de', 'fr', 'es', 'nl', 'pt', 'ar'] as const
export type DialogLanguage = (typeof LANGUAGES)[number]

/** The first of the reader's languages that there are words in, else English. @param tags BCP 47, the most wanted first. */
export function languageOf(tags: readonly string[]): DialogLanguage {
  for (const tag of tags) {
    const language = tag.toLowerCase().split('-')[0]
    const known = LANGUAGES.find((each) => each === language)
    if (known) return known
  }
  return 'en'
}

export const directionOf = (language: DialogLanguage): 'ltr' | 'rtl' => (language === 'ar' ? 'rtl' : 'ltr')

/** @param values text for each name in braces. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (braces, name: string) => values[name] ?? braces)
}

/** As on a clock: 0:05, 14:59, and hours where there are any. */
export function clockTime(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const padded = (part: number) => String(part).padStart(2, '0')
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`
}

export const WORDINGS: Readonly<Record<DialogLanguage, DialogWording>> = {
  en: {
    title: 'Read, then confirm',
    introduction: 'Read each line. The code confirms exactly this and nothing else.',
    loading: 'One moment…',
    sending: 'Sending a code…',
    sent: 'We have sent a code to {recipient}. Use the newest mail: it has the mark {reference}.',
    delayed:
      'The mail to {recipient} is late: the mail system there does not take it yet. It has the mark {reference}.',
    undelivered: 'The mail to {recipient} did not arrive. Have another code sent, or contact us.',
    codeLabel: 'Code with the mark {reference}',
    validFor: 'The code counts for another {time}.',
    codeExpired: 'The code has expired.',
    getAnother: 'Have another one sent.',
    confirm: 'Confirm',
    checking: 'Checking…',
    resend: 'Send another code',
    resendIn: 'Another code in {time}',
    noMoreCodes: 'No more codes can be sent for this.',
    cancel: 'Do not confirm',
    close: 'Close',
    retry: 'Try again',
    guessesLeft: 'Tries left: {count}',
    wrongCode: 'This is not the code that counts.',
    noCode: 'Enter the digits from the mail.',
    notACode: 'Enter only the code. It has {count} digits.',
    verified: 'Confirmed.',
    consumed: 'This has been confirmed and carried out.',
    expired: 'The time to confirm this is over. Please start again.',
    exhausted: 'There were too many wrong codes. Please start again.',
    cancelled: 'This was cancelled. Nothing has been done.',
    tooSoon: 'Another code can be sent in {time}.',
    locked:
      'There were too many wrong codes. For your protection you can confirm nothing for another {time}.',
    noAddress: 'We have no e-mail address of yours that mails arrive at. Please contact us.',
    signedOut: 'You are no longer signed in. Please sign in again.',
    notFound: 'There is nothing here for you to confirm.',
    unavailable: 'That did not work just now. Please try again.',
  },
  de: {
    title: 'Erst lesen, dann bestätigen',
    introduction: 'Lesen Sie jede Zeile. Der Code bestätigt genau dies und nichts anderes.',
    loading: 'Einen Moment…',
    sending: 'Ein Code wird gesendet…',
    sent: 'Wir haben einen Code an {recipient} gesendet. Es zählt die neueste Mail, mit dem Kennzeichen {reference}.',
    delayed:
      'Die Mail an {recipient} verspätet sich: Das Mailsystem dort nimmt sie noch nicht an. Sie hat das Kennzeichen {reference}.',
    undelivered:
      'Die Mail an {recipient} ist nicht angekommen. Lassen Sie sich einen neuen Code senden oder wenden Sie sich an uns.',
    codeLabel: 'Code mit dem Kennzeichen {reference}',
    validFor: 'Der Code gilt noch {time}.',
    codeExpired: 'Der Code ist abgelaufen.',
    getAnother: 'Lassen Sie sich einen neuen senden.',
    confirm: 'Bestätigen',
    checking: 'Wird geprüft…',
    resend: 'Neuen Code senden',
    resendIn: 'Neuer Code in {time}',
    noMoreCodes: 'Hierfür können keine weiteren Codes gesendet werden.',
    cancel: 'Nicht bestätigen',
    close: 'Schließen',
    retry: 'Noch einmal versuchen',
    guessesLeft: 'Verbleibende Versuche: {count}',
    wrongCode: 'Das ist nicht der Code, der zählt.',
    noCode: 'Geben Sie die Ziffern aus der Mail ein.',
    notACode: 'Geben Sie nur den Code ein. Er hat {count} Ziffern.',
    verified: 'Bestätigt.',
    consumed: 'Dies wurde bestätigt und ausgeführt.',
    expired: 'Die Zeit zum Bestätigen ist vorbei. Bitte beginnen Sie von vorn.',
    exhausted: 'Es gab zu viele falsche Codes. Bitte beginnen Sie von vorn.',
    cancelled: 'Dies wurde abgebrochen. Es ist nichts geschehen.',
    tooSoon: 'Ein neuer Code kann in {time} gesendet werden.',
    locked: 'Es gab zu viele falsche Codes. Zu Ihrem Schutz können Sie noch {time} lang nichts bestätigen.',
    noAddress:
      'Wir haben keine E-Mail-Adresse von Ihnen, unter der Mails ankommen. Bitte wenden Sie sich an uns.',
    signedOut: 'Sie sind nicht mehr angemeldet. Bitte melden Sie sich wieder an.',
    notFound: 'Hier gibt es für Sie nichts zu bestätigen.',
    unavailable: 'Das hat gerade nicht geklappt. Bitte versuchen Sie es noch einmal.',
  },
  fr: {
    title: 'Lisez, puis confirmez',
    introduction: 'Lisez chaque ligne. Le code confirme exactement ceci, et rien d’autre.',
    loading: 'Un instant…',
    sending: 'Envoi d’un code…',
    sent: 'Nous avons envoyé un code à {recipient}. Seul compte le message le plus récent, avec le repère {reference}.',
    delayed:
      'Le message à {recipient} a du retard : le serveur du destinataire ne l’accepte pas encore. Il porte le repère {reference}.',
    undelivered: 'Le message à {recipient} n’est pas arrivé. Demandez un autre code ou contactez-nous.',
    codeLabel: 'Code avec le repère {reference}',
    validFor: 'Le code est valable encore {time}.',
    codeExpired: 'Le code a expiré.',
    getAnother: 'Demandez-en un autre.',
    confirm: 'Confirmer',
    checking: 'Vérification…',
    resend: 'Envoyer un autre code',
    resendIn: 'Autre code dans {time}',
    noMoreCodes: 'Aucun autre code ne peut être envoyé pour ceci.',
    cancel: 'Ne pas confirmer',
    close: 'Fermer',
    retry: 'Réessayer',
    guessesLeft: 'Essais restants : {count}',
    wrongCode: 'Ce n’est pas le code qui compte.',
    noCode: 'Saisissez les chiffres du message.',
    notACode: 'Saisissez uniquement le code. Il comporte {count} chiffres.',
    verified: 'Confirmé.',
    consumed: 'Ceci a été confirmé et exécuté.',
    expired: 'Le délai de confirmation est écoulé. Veuillez recommencer.',
    exhausted: 'Trop de codes erronés. Veuillez recommencer.',
    cancelled: 'Ceci a été annulé. Rien n’a été fait.',
    tooSoon: 'Un autre code pourra être envoyé dans {time}.',
    locked:
      'Trop de codes erronés. Pour votre protection, vous ne pouvez rien confirmer pendant encore {time}.',
    noAddress: 'Nous n’avons aucune adresse e-mail où vous joindre. Veuillez nous contacter.',
    signedOut: 'Vous n’êtes plus connecté. Veuillez vous reconnecter.',
    notFound: 'Il n’y a rien à confirmer ici pour vous.',
    unavailable: 'Cela n’a pas fonctionné. Veuillez réessayer.',
  },
  es: {
    title: 'Lea y después confirme',
    introduction: 'Lea cada línea. El código confirma exactamente esto y nada más.',
    loading: 'Un momento…',
    sending: 'Enviando un código…',
    sent: 'Hemos enviado un código a {recipient}. Solo cuenta el correo más reciente, con la marca {reference}.',
    delayed:
      'El correo a {recipient} se retrasa: el servidor de destino aún no lo acepta. Lleva la marca {reference}.',
    undelivered:
      'El correo a {recipient} no ha llegado. Pida otro código o póngase en contacto con nosotros.',
    codeLabel: 'Código con la marca {reference}',
    validFor: 'El código vale {time} más.',
    codeExpired: 'El código ha caducado.',
    getAnother: 'Pida otro.',
    confirm: 'Confirmar',
    checking: 'Comprobando…',
    resend: 'Enviar otro código',
    resendIn: 'Otro código en {time}',
    noMoreCodes: 'No se pueden enviar más códigos para esto.',
    cancel: 'No confirmar',
    close: 'Cerrar',
    retry: 'Intentar de nuevo',
    guessesLeft: 'Intentos restantes: {count}',
    wrongCode: 'Este no es el código que cuenta.',
    noCode: 'Introduzca las cifras del correo.',
    notACode: 'Introduzca solo el código. Tiene {count} cifras.',
    verified: 'Confirmado.',
    consumed: 'Esto ya se ha confirmado y realizado.',
    expired: 'El plazo para confirmar ha terminado. Empiece de nuevo.',
    exhausted: 'Ha habido demasiados códigos erróneos. Empiece de nuevo.',
    cancelled: 'Esto se ha cancelado. No se ha hecho nada.',
    tooSoon: 'Se podrá enviar otro código en {time}.',
    locked:
      'Ha habido demasiados códigos erróneos. Para su protección no puede confirmar nada durante {time} más.',
    noAddress:
      'No tenemos ninguna dirección de correo suya a la que lleguen mensajes. Póngase en contacto con nosotros.',
    signedOut: 'Su sesión ha terminado. Inicie sesión de nuevo.',
    notFound: 'Aquí no hay nada que usted pueda confirmar.',
    unavailable: 'No ha funcionado. Inténtelo de nuevo.',
  },
  nl: {
    title: 'Eerst lezen, dan bevestigen',
    introduction: 'Lees elke regel. De code bevestigt precies dit en niets anders.',
    loading: 'Een ogenblik…',
    sending: 'Er wordt een code verstuurd…',
    sent: 'We hebben een code gestuurd naar {recipient}. Alleen de nieuwste mail telt, met het kenmerk {reference}.',
    delayed:
      'De mail aan {recipient} is vertraagd: het mailsysteem daar neemt hem nog niet aan. Hij heeft het kenmerk {reference}.',
    undelivered:
      'De mail aan {recipient} is niet aangekomen. Laat een nieuwe code sturen of neem contact met ons op.',
    codeLabel: 'Code met het kenmerk {reference}',
    validFor: 'De code geldt nog {time}.',
    codeExpired: 'De code is verlopen.',
    getAnother: 'Laat een nieuwe sturen.',
    confirm: 'Bevestigen',
    checking: 'Wordt gecontroleerd…',
    resend: 'Nieuwe code sturen',
    resendIn: 'Nieuwe code over {time}',
    noMoreCodes: 'Hiervoor kunnen geen codes meer worden gestuurd.',
    cancel: 'Niet bevestigen',
    close: 'Sluiten',
    retry: 'Opnieuw proberen',
    guessesLeft: 'Resterende pogingen: {count}',
    wrongCode: 'Dit is niet de code die telt.',
    noCode: 'Voer de cijfers uit de mail in.',
    notACode: 'Voer alleen de code in. Die heeft {count} cijfers.',
    verified: 'Bevestigd.',
    consumed: 'Dit is bevestigd en uitgevoerd.',
    expired: 'De tijd om te bevestigen is voorbij. Begin opnieuw.',
    exhausted: 'Er waren te veel verkeerde codes. Begin opnieuw.',
    cancelled: 'Dit is afgebroken. Er is niets gebeurd.',
    tooSoon: 'Over {time} kan een nieuwe code worden gestuurd.',
    locked: 'Er waren te veel verkeerde codes. Voor uw veiligheid kunt u nog {time} niets bevestigen.',
    noAddress: 'We hebben geen e-mailadres van u waarop mail aankomt. Neem contact met ons op.',
    signedOut: 'U bent niet meer aangemeld. Meld u opnieuw aan.',
    notFound: 'Hier is voor u niets te bevestigen.',
    unavailable: 'Dat lukte nu niet. Probeer het opnieuw.',
  },
  pt: {
    title: 'Leia e depois confirme',
    introduction: 'Leia cada linha. O código confirma exatamente isto e nada mais.',
    loading: 'Um momento…',
    sending: 'A enviar um código…',
    sent: 'Enviámos um código para {recipient}. Só conta a mensagem mais recente, com a marca {reference}.',
    delayed:
      'A mensagem para {recipient} está atrasada: o servidor de destino ainda não a aceita. Tem a marca {reference}.',
    undelivered: 'A mensagem para {recipient} não chegou. Peça outro código ou contacte-nos.',
    codeLabel: 'Código com a marca {reference}',
    validFor: 'O código vale por mais {time}.',
    codeExpired: 'O código expirou.',
    getAnother: 'Peça outro.',
    confirm: 'Confirmar',
    checking: 'A verificar…',
    resend: 'Enviar outro código',
    resendIn: 'Outro código em {time}',
    noMoreCodes: 'Não é possível enviar mais códigos para isto.',
    cancel: 'Não confirmar',
    close: 'Fechar',
    retry: 'Tentar de novo',
    guessesLeft: 'Tentativas restantes: {count}',
    wrongCode: 'Este não é o código que conta.',
    noCode: 'Introduza os algarismos da mensagem.',
    notACode: 'Introduza apenas o código. Tem {count} algarismos.',
    verified: 'Confirmado.',
    consumed: 'Isto já foi confirmado e executado.',
    expired: 'O prazo para confirmar terminou. Comece de novo.',
    exhausted: 'Houve demasiados códigos errados. Comece de novo.',
    cancelled: 'Isto foi cancelado. Nada foi feito.',
    tooSoon: 'Outro código poderá ser enviado dentro de {time}.',
    locked:
      'Houve demasiados códigos errados. Para sua proteção não pode confirmar nada durante mais {time}.',
    noAddress: 'Não temos um endereço de e-mail seu onde as mensagens cheguem. Contacte-nos.',
    signedOut: 'A sua sessão terminou. Inicie sessão de novo.',
    notFound: 'Não há aqui nada para confirmar.',
    unavailable: 'Não funcionou. Tente de novo.',
  },
  ar: {
    title: 'اقرأ أولاً، ثم أكّد',
    introduction: 'اقرأ كل سطر. الرمز يؤكد هذا بالضبط ولا شيء غيره.',
    loading: 'لحظة من فضلك…',
    sending: 'جارٍ إرسال رمز…',
    sent: 'أرسلنا رمزاً إلى {recipient}. الرسالة الأحدث وحدها صالحة، وعليها العلامة {reference}.',
    delayed: 'تأخرت الرسالة إلى {recipient}: لم يستلمها خادم البريد هناك بعد. علامتها {reference}.',
    undelivered: 'لم تصل الرسالة إلى {recipient}. اطلب رمزاً آخر أو تواصل معنا.',
    codeLabel: 'الرمز ذو العلامة {reference}',
    validFor: 'الرمز صالح لمدة {time} أخرى.',
    codeExpired: 'انتهت صلاحية الرمز.',
    getAnother: 'اطلب رمزاً آخر.',
    confirm: 'تأكيد',
    checking: 'جارٍ التحقق…',
    resend: 'إرسال رمز آخر',
    resendIn: 'رمز آخر بعد {time}',
    noMoreCodes: 'لا يمكن إرسال رموز أخرى لهذا.',
    cancel: 'عدم التأكيد',
    close: 'إغلاق',
    retry: 'حاول مرة أخرى',
    guessesLeft: 'المحاولات المتبقية: {count}',
    wrongCode: 'هذا ليس الرمز الصالح.',
    noCode: 'أدخل الأرقام الواردة في الرسالة.',
    notACode: 'أدخل الرمز فقط. يتكون من {count} أرقام.',
    verified: 'تم التأكيد.',
    consumed: 'تم تأكيد هذا وتنفيذه.',
    expired: 'انتهت مهلة التأكيد. يُرجى البدء من جديد.',
    exhausted: 'أُدخلت رموز خاطئة كثيرة. يُرجى البدء من جديد.',
    cancelled: 'أُلغي هذا ولم يُنفَّذ شيء.',
    tooSoon: 'يمكن إرسال رمز آخر بعد {time}.',
    locked: 'أُدخلت رموز خاطئة كثيرة. لحمايتك لا يمكنك تأكيد أي شيء لمدة {time} أخرى.',
    noAddress: 'ليس لدينا عنوان بريد إلكتروني تصلك عليه الرسائل. يُرجى التواصل معنا.',
    signedOut: 'لم تعد مسجلاً للدخول. يُرجى تسجيل الدخول من جديد.',
    notFound: 'لا يوجد هنا ما يمكنك تأكيده.',
    unavailable: 'لم ينجح ذلك الآن. يُرجى المحاولة مرة أخرى.',
  },
}
