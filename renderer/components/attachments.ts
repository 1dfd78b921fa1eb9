/** Behaviour that components hang on their elements with `{@attach …}`. */

/** For an input that renames something: takes the cursor; Enter or leaving it finishes with what it holds, Escape with null. Once. */
export function renames(finish: (name: string | null) => void): (input: HTMLInputElement) => void {
  return (input) => {
    let isOpen = true;
    const end = (name: string | null): void => {
      if (!isOpen) return;
      isOpen = false;
      finish(name);
    };
    input.focus();
    input.select();
    input.addEventListener('blur', () => end(input.value));
    input.addEventListener('keydown', (event) => {
      if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      event.preventDefault(); // else Enter would press the button that has the focus next
      end(event.key === 'Enter' ? input.value : null);
    });
  };
}

/** Calls `leave` when the pointer goes down anywhere but within the element. */
export function pressedOutside(leave: () => void): (element: HTMLElement) => () => void {
  return (element) => {
    const onpointerdown = (event: PointerEvent): void => {
      if (event.target instanceof Node && !element.contains(event.target)) leave();
    };
    window.addEventListener('pointerdown', onpointerdown);
    return () => window.removeEventListener('pointerdown', onpointerdown);
  };
}
