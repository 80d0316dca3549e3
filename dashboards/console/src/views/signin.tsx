import { useSignal } from '@preact/signals';
import { Refused, signedIn } from '../data/api';
import { signIn } from '../data/session';
import { words } from '../i18n';

export function SignIn() {
  const t = words.value;
  const token = useSignal('');
  const trouble = useSignal('');

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    trouble.value = '';
    try {
      await signIn(token.value.trim());
      if (!signedIn.value) trouble.value = t.signInRefused;
    } catch (error) {
      trouble.value = error instanceof Refused ? t.signInRefused : t.errNetwork;
    }
  };

  return (
    <main id="main" class="signin">
      <form class="card" onSubmit={submit}>
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>{t.signInTitle}</h1>
        <p>{t.signInText}</p>
        <label>
          {t.token}
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token.value}
            onInput={(event) => {
              token.value = event.currentTarget.value;
            }}
          />
        </label>
        <p role="alert" class="refusal">
          {trouble.value}
        </p>
        <button type="submit" class="primary">
          {t.signIn}
        </button>
      </form>
    </main>
  );
}
