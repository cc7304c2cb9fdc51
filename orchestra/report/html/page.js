const field = document.getElementById("q");
if (field) {
  const changes = [...document.querySelectorAll(".list > .c")];
  const names = changes.map((c) => c.querySelector(".a").textContent.toLowerCase());
  field.hidden = false;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    changes.forEach((c, i) => c.classList.toggle("no", !names[i].includes(wanted)));
  });
  addEventListener("beforeprint", () => {
    if (changes.length <= 300) document.querySelectorAll("details").forEach((d) => (d.open = true));
  });
}
