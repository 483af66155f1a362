// What is asked of a person goes to the program as one event; what was typed elsewhere and the place of the keyboard
// stay when the people are shown anew.
let typed = new Map(), last = null;

const forms = () => [...element.querySelectorAll("form.person")];

element.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target, button = event.submitter;
    if (!button || (button.dataset.sure && !confirm(button.dataset.sure))) return;
    const filled = new FormData(form);
    typed = new Map(forms().filter((one) => one !== form && one.elements.name.value !== one.elements.name.defaultValue)
        .map((one) => [one.dataset.person, one.elements.name.value]));
    last = {person: form.dataset.person, place: forms().indexOf(form)};
    trigger("submit", {
        what: button.value, person: form.dataset.person, name: filled.get("name"), other: filled.get("other"),
        faces: filled.getAll("faces")
    });
});

element.addEventListener("keydown", (event) => {  // else Enter would mean the form's first button
    if (event.key !== "Enter" || event.target.name !== "other") return;
    event.preventDefault();
    event.target.form.requestSubmit(event.target.form.querySelector("button[value=merge]"));
});

watch("value", () => {
    element.querySelectorAll("input[type=checkbox]").forEach((one) => { one.checked = false; });
    element.querySelectorAll("input[name=other]").forEach((one) => { one.value = ""; });
    for (const one of forms())  // a form may have been another person's before
        one.elements.name.value = typed.get(one.dataset.person) ?? one.elements.name.defaultValue;
    typed = new Map();
    if (last === null) return;
    const there = forms(), same = there.find((one) => one.dataset.person === last.person);
    (same ?? there[Math.min(last.place, there.length - 1)])?.elements.name.focus({preventScroll: !same});
    last = null;
});
